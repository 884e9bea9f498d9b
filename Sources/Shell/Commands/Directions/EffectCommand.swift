package import ArgumentParser
import Comparison
import Directions
import Language
import Provenance
import Reports
import Workbench

package struct EffectCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "effect",
        abstract: "What the edits in force do: behaviour before and after, beside random directions.",
        discussion: """
            Runs every set without edits (before), with those in force (after), and with --against random:N as many times with
            other directions in the place of the edits' own: of the same number and lengths, orthogonal to them, drawn from a
            Gaussian with the covariance that activations have within each set where the direction was found, prompts' first
            positions left out (where large models have outliers). --against isotropic:N draws every direction alike: most such
            directions hold next to nothing, so they are the milder control. Per set:

            matched: replies that hold one of the phrases of --markers or --marker (as in evaluate); right: replies that begin with
            an accepted answer; both over prompts, with Wilson's interval. end token, stop string, cut off, context full, empty: how
            many replies ended so; a note says where they leave a rate with little meaning (as in evaluate). kl: KL(before || after)
            over the first --kl-tokens tokens of the unedited model's own reply, its end token among them, which the edited model
            reads too; kl reverse, js and top-1, the agreement of the likeliest token, likewise. kl first and top-1 first: at the
            reply's first token alone, which a template may decide whatever becomes of the rest. kl prompt and loss: over the
            prompts' own tokens. random is the median of the controls with their least and most, p the share of (N + 1) runs that
            went at least as far from before, the edits' own among them. --quantiles adds those of KL and each token's mean; plot
            draws the latter.

            Every edit of directions is replaced in the controls; edits of sites stay as they are.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, makesValue: true,
        kinds: ["sets": .prompts, "against": .choice(RandomControls.words)],
        examples: [
            "facts = prompts Scripts/prompts/facts-heldout.jsonl --sample 40",
            "ablate attn.z[3].h1", "effect facts --tokens 6",
        ])

    @Argument(help: "Sets of prompts.") var sets: [String]
    @Option(name: [.customShort("n"), .long], help: "The most new tokens of a reply.") var tokens = 24
    @Option(help: "Controls: random:20, isotropic:20.") var against: String?
    @Option(help: "Tokens of the unedited model's own reply over which KL and top-1 are taken.") var klTokens = 16
    @Flag(help: "Quantiles of KL, and its mean at each token of the reply.") var quantiles = false
    @OptionGroup var looking: MarkersOption
    @OptionGroup var decoding: DecodingOptions
    @OptionGroup var products: PrecisionOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let active = checkpoint.edits.entries.filter(\.isOn)
        guard !active.isEmpty else {
            throw CommandError("no edits are in force", remedy: "make one with ablate or steer, or: edits on all")
        }
        guard Set(sets).count == sets.count else {
            throw CommandError("a set is named twice", remedy: "name each once", exitCode: 2)
        }
        let controls = try against.map(RandomControls.init) ?? .none
        guard controls.count == 0 || active.contains(where: { $0.control != nil }) else {
            throw CommandError(
                "--against is about directions, and none is in force", remedy: "leave it out", exitCode: 2)
        }
        let (markers, markersFile) = try looking.phrases(session)
        let run = try BehaviourRun(
            context: session.context(), source: NamedCheckpoint(name: session.current ?? "", checkpoint: checkpoint),
            markers: markers, decoding: try decoding.choices(session, tokens: tokens),
            precision: try products.precision(session), replyTokens: try checkedCount(klTokens, "--kl-tokens"))
        let measured = try sets.map { try BehaviourSet($0, checkpoint, session) }
        let effect = try EffectRun(run, measured, entries: active, controls: controls, seed: session.settings.seed)
            .run()
        var report = EffectReport(effect: effect, names: sets, controls: controls, hasQuantiles: quantiles).report
        report.title = "\(session.current ?? "")\(checkpoint.edits.label)"
        report.recipe = session.recipe(checkpoint, precision: run.precision)
        if let markersFile { report.recipe?.inputs.append(markersFile) }
        if controls.count > 0 { report.notes.append("seed \(session.settings.seed)") }
        return Outcome(report)
    }
}
