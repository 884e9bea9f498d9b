package import ArgumentParser
import Directions
import Language
import Reports
import Sites
import TerminalText
import Workbench

package struct PatchCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "patch",
        abstract: "Put one prompt's activations into another, place by place: activation patching.",
        discussion: """
            Runs the second text once for each layer and position with that one activation replaced by what the first text has
            there, and says how much of the first text's answer comes back. The metric is the difference between two logits at the last
            position: that of --answer (the first text's likeliest token) and that of --versus (the second's). Its value is given as
            a share: 0 is the second text's own, the null of changing nothing, 1 the first's. (Meng et al. 2022; Wang et al. 2022,
            section 3; TransformerLens get_act_patch_*.)

            Both texts must have as many tokens; words of one token in the same places are best. --sites names what is patched:
            resid_pre[*] when left out; attn_out[*], mlp_out[*] and others. Heads, such as attn.z[*].h*, are patched at all positions
            at once, and the picture is layer by head. Edits in force stay in force in both runs. --chat, --system and --rendered
            are about both texts.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, makesValue: true, kinds: ["sites": .site],
        examples: [
            "patch \"The capital of France is\" \"The capital of Spain is\" --top 5",
            "patch \"The capital of France is\" \"The capital of Spain is\" --sites attn.z[*].h* --plot",
        ])

    @Argument(help: "The text whose activations are put in.") var clean: String
    @Argument(help: "The text that is run with them.") var corrupt: String
    @Option(help: "A token: the first text's answer; its likeliest when left out.") var answer: String?
    @Option(help: "A token: the second text's answer; its likeliest when left out.") var versus: String?
    @Option(help: "What is patched; resid_pre[*] when left out.") var sites: String?
    @Option(help: "How many of the largest effects are listed.") var top = 10
    @OptionGroup var turn: TurnOptions
    @OptionGroup var products: PrecisionOption
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let c = try checkpoint.facts()
        let tokens = try checkpoint.tokenTexts()
        let ids = try checkpoint.encode(turn.set([clean, corrupt]), in: session.context()).ids
        let (source, target) = (ids[0], ids[1])
        guard source.count == target.count else {
            throw CommandError(
                "the texts have \(source.count) and \(target.count) tokens, and patching goes position by position",
                remedy: "word them so that both have as many; tokens TEXT shows them", exitCode: 2)
        }
        guard source != target else {
            throw CommandError("the texts are the same", remedy: "change what the answer depends on", exitCode: 2)
        }
        let selections = try selections(c)
        let count = try checkedCount(top, "--top")
        let picture = try plotting.prepare(session)
        let precision = try products.precision(session)
        let run = try PatchRun(
            context: session.context(), checkpoint: checkpoint, source: source, target: target, precision: precision)
        let (cleanLogits, corruptLogits) = (try run.logits(source), try run.logits(target))
        let right = try token(answer, "--answer", cleanLogits, checkpoint)
        let wrong = try token(versus, "--versus", corruptLogits, checkpoint)
        guard right != wrong else {
            throw CommandError(
                "both answers are \"\(tokens.piece(Int32(right)).escapedForTerminal)\"",
                remedy: "name the tokens that should differ with --answer and --versus", exitCode: 2)
        }
        func metric(_ logits: [Float]) -> Double { Double(logits[right]) - Double(logits[wrong]) }
        let (high, low) = (metric(cleanLogits), metric(corruptLogits))
        guard abs(high - low) > 1e-6 else {
            throw CommandError(
                "the logit difference is the same in both texts", remedy: "choose texts with different answers")
        }
        let atOnce = selections.contains { $0.head != nil }
        let found = try run.sweep(selections, atOnce: atOnce, metric: metric)
        let shares = found.map { $0.map { ($0 - low) / (high - low) } }
        let texts = source.indices.map { place in
            let (a, b) = (tokens.piece(source[place]), tokens.piece(target[place]))
            return a == b ? "\(place) \"\(a)\"" : "\(place) \"\(a)\"/\"\(b)\""
        }
        func piece(_ id: Int) -> String { "\"\(tokens.piece(Int32(id)).escapedForTerminal)\"" }
        let report = PatchReport(
            selections: selections, shares: shares, positions: texts, answer: piece(right), versus: piece(wrong),
            clean: high, corrupt: low
        ).report(top: count)
        var named = report
        named.recipe = session.recipe(checkpoint, precision: precision)
        return try plotting.outcome(named, picture, session)
    }

    /// Returns the whole sites, or the heads, that are patched.
    ///
    /// - Throws: `CommandError` if some are heads and others whole sites, or if one can't be patched.
    private func selections(_ c: CheckpointFacts) throws -> [SiteSelection] {
        let parts = SiteExpression.list(sites ?? "resid_pre[*]")
        let found = try Set(parts.flatMap { try c.selections($0) }).sorted()
        if let bad = found.first(where: { $0.site.kind.isPattern || $0.site.kind == .logits }) {
            throw CommandError("\(bad.shortName) can't be patched", remedy: "patch attn.z for heads", exitCode: 2)
        }
        guard Set(found.map { $0.head == nil }).count == 1 else {
            throw CommandError(
                "heads and whole sites can't be in one picture", remedy: "patch them one after the other", exitCode: 2)
        }
        return found
    }

    private func token(_ text: String?, _ option: String, _ logits: [Float], _ checkpoint: LoadedCheckpoint) throws
        -> Int
    {
        guard let text else {
            return logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
        }
        return Int(try checkpoint.token(text, option))
    }
}
