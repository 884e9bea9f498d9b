package import ArgumentParser
import Directions
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct CurveCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "curve",
        abstract: "Behaviour against the number of directions taken out, or the strength of steering.",
        discussion: """
            --k 1..16 takes out the first 1, 2, ... of the directions at every layer's input, attention output and MLP output, and
            measures the set's replies: matched (--markers, --marker) or right (answers). Beside each stands the median [least,
            most] of --against random:N (20) as many random directions, orthogonal to these, with the covariance within the sets. The smallest k after
            which the rate's interval reaches that of the base rate is k causal: how many directions the behaviour needs. The base rate is
            the rate of --neutral, a set that does not show the behaviour, without edits.

            --strength 0.5,1,2 (or -1..4, whole numbers) adds so much of the direction instead, at its own site, as steer does,
            with --positions last at the prompt's last position alone.

            --neutral also gets the price: kl, KL(before || after) over the first --kl-tokens tokens of the model's own reply without
            the edits, kl first at its first token alone, and top-1 over the same tokens as kl (as in effect); and right where it has
            answers. Replies are counted by how they ended, as in evaluate. Edits in force stay in force.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, makesValue: true,
        kinds: [
            "directions": .subspace, "set": .prompts, "neutral": .prompts,
            "positions": .choice(EditSites.positionWords), "against": .choice(RandomControls.words + ["0"]),
        ])

    @Argument(help: "Directions.") var directions: String
    @Argument(help: "A set of prompts that shows the behaviour (or, for --strength, does not).") var set: String
    @Option(help: "How many directions are taken out: 1..16, or 1,2,4.") var k: String?
    @Option(help: "How much of the direction is added: 0.5,1,2 or -1..4.") var strength: String?
    @Option(
        help:
            "Where --strength is added: all, prompt (not what is generated), last (of the prompt), first, a position, or from:N."
    )
    var positions = "all"
    @Option(help: "A set of prompts for the base rate and the price.") var neutral: String?
    @Option(help: "Random controls: random:20, isotropic:20; 0 for none.") var against = "random:20"
    @Option(help: "Tokens of the unedited model's own reply over which KL and top-1 are taken.") var klTokens = 16
    @Option(name: [.customShort("n"), .long], help: "The most new tokens of a reply.") var tokens = 24
    @OptionGroup var looking: MarkersOption
    @OptionGroup var decoding: DecodingOptions
    @OptionGroup var products: PrecisionOption
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let c = try checkpoint.facts()
        let subspace = try session.subspace(named: directions)
        try c.check(subspace, directions)
        let sweep = try sweep(subspace, c)
        let (markers, markersFile) = try looking.phrases(session)
        let behaviour = try BehaviourRun(
            context: session.context(), source: NamedCheckpoint(name: session.current ?? "", checkpoint: checkpoint),
            markers: markers, decoding: try decoding.choices(session, tokens: tokens),
            precision: try products.precision(session), replyTokens: try checkedCount(klTokens, "--kl-tokens"))
        let set = try BehaviourSet(self.set, checkpoint, session)
        guard markers != nil || set.key.count > 0 else {
            throw CommandError(
                "\(self.set) has no answers, and no phrases are given to look for",
                remedy: "give --markers FILE or --marker TEXT")
        }
        let neutral = try self.neutral.map { try BehaviourSet($0, checkpoint, session) }
        let picture = try plotting.prepare(session)
        let controls = against == "0" ? RandomControls.none : try RandomControls(against)
        let curve = try CurveRun(
            behaviour: behaviour, sweep: sweep, set: set, neutral: neutral, controls: controls,
            seed: session.settings.seed
        ).run()
        var report = CurveReport(curve: curve, sweep: sweep, set: self.set, neutral: self.neutral).report
        report.title =
            "\(session.current ?? "")\(checkpoint.edits.label): \(directions) \(sweep.isSteering ? "added" : "taken out"),"
            + " \(counted(set.set.prompts.count, "prompt")) of \(self.set)"
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe(checkpoint, precision: behaviour.precision)
        if let markersFile { report.recipe?.inputs.append(markersFile) }
        return try plotting.outcome(report, picture, session)
    }

    private func sweep(_ subspace: Subspace, _ c: CheckpointFacts) throws -> DirectionSweep {
        guard strength != nil || positions == "all" else {
            throw CommandError("--positions goes with --strength", remedy: "leave it out", exitCode: 2)
        }
        if strength == nil { try c.checkIsOfStream(subspace, directions) }
        switch (k, strength) {
        case (let k?, nil):
            let counts = try numberList(k, "--k").map { value -> Int in
                guard value == value.rounded(), value >= 1, value <= Double(subspace.dimension) else {
                    throw CommandError(
                        "--k can't be \(NumberFormat.significant(value))",
                        remedy: "\(directions) has \(counted(subspace.dimension, "direction"))", exitCode: 2)
                }
                return Int(value)
            }
            return .ablation(subspace, counts: counts, sites: c.streamSites)
        case (nil, let strength?):
            guard let site = subspace.site else {
                throw CommandError(
                    "\(directions) does not say where it was found", remedy: "load it with --at SITE", exitCode: 2)
            }
            return .steering(
                subspace, strengths: try numberList(strength, "--strength"), site: site,
                positions: try c.editPositions(positions))
        case (nil, nil):
            let all = subspace.dimension
            return .ablation(subspace, counts: Array(1...min(all, 16)), sites: c.streamSites)
        case (_?, _?):
            throw CommandError("--k takes directions out, --strength adds one", remedy: "give one of them", exitCode: 2)
        }
    }
}
