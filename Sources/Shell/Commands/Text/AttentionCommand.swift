package import ArgumentParser
import Directions
import Language
import Reports
import TerminalText
import Workbench

package struct AttentionCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "attention", abstract: "Where heads look: attention patterns, and what each head does.",
        discussion: """
            Without --layer: for each score, the heads that have most of it; with --score all layers and heads in that score.
            With --layer: every head of the layer. With --head as well: that head's pattern, query by query.

            Scores are means over queries, the first token left out:
              sink       share on the first token
              previous   share on the token before
              self       share on the token itself
              induction  share on the token after the last earlier occurrence of the same token, where there is one
              duplicate  share on the last earlier occurrence of the same token, where there is one
              entropy    of the pattern, in nats; the lowest come first
              distance   mean distance from query to key, in tokens
            Their null is uniform attention over the keys that a query sees: its entropy is the mean of ln(position + 1). For
            induction heads, write the text twice. Patterns are softmax probabilities; heads are query heads, from 0.
            --plot, or plot it afterwards, draws heat maps: the pattern of a head, of every head of a layer, or layers and heads.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: ["score": .choice(AttentionMeasure.allCases.map(\.name))],
        examples: [
            "attention \"one two one two\" --layer 0 --head 1 --plot",
            "attention \"one two one two\" --layer 1 --head '*' --plot heads.svg",
            "attention \"one two one two\" --score induction",
        ])

    @OptionGroup var input: TextInput
    @Option(help: "A layer, from 0; -1 is the last.") var layer: Int?
    @Option(help: "A head of that layer, or '*' for all.") var head: String?
    @Option(
        help:
            "One score in all layers and heads: \(AttentionMeasure.allCases.map(\.name).joined(separator: ", "))."
    )
    var score: String?
    @Option(name: [.customShort("n"), .long], help: "How many keys of a query, or heads.") var top: Int?
    @OptionGroup var plotting: PlotOption

    /// The largest number of bytes that patterns may take, while they are kept and as they are shown.
    private static let memoryLimit = 1 << 30
    /// The largest number of bytes up to which a layer's patterns are kept although they were not requested.
    private static let unaskedLimit = 64 << 20
    /// The largest number of tokens of a text whose pattern is shown number by number.
    private static let smallText = 10

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let c = try checkpoint.facts()
        let measure = try score.map(Self.measure)
        let layer = try layer.map { try Self.index($0, count: c.layers, "layer") }
        let heads = try chosenHeads(layer: layer, count: c.heads)
        if measure != nil, layer != nil {
            throw CommandError("--score shows all layers", remedy: "leave out --layer, or --score", exitCode: 2)
        }
        let count = try top.map { try checkedCount($0, "--top") }
        let ids = try input.ids(checkpoint, session)
        guard ids.count > 1 else {
            throw CommandError("attention needs two tokens", remedy: "give a longer text")
        }
        let keepsPatterns = try checkMemory(tokens: ids.count, heads: heads, of: c)
        let file = try plotting.prepare(session)

        let found = try AttentionRun(session.context(), checkpoint).run(
            ids, layer: layer, keeping: keepsPatterns ? heads ?? Array(0..<c.heads) : nil)
        let prompt = AttentionPrompt(ids: ids, texts: try checkpoint.tokenTexts(), found: found)
        var report: Report
        if let layer, found.hasPatterns, let heads, heads.count == 1 {
            report = prompt.head(heads[0], layer: layer, top: count ?? 3, isSmall: ids.count <= Self.smallText)
        } else if let layer {
            report = prompt.layer(layer)
        } else if let measure {
            report = try AttentionSummary(scores: found).ranking(measure, top: count ?? 10)
        } else {
            report = AttentionSummary(scores: found).overview(top: count ?? 3)
        }
        report.notes.append("One prompt of \(counted(ids.count, "token")): no interval.")
        report.notes += try session.context().roundingNotes(checkpoint, ids, session.settings.precision)
        report.recipe = session.recipe(checkpoint, precision: session.settings.precision)
        return try plotting.outcome(report, file, session)
    }

    private static func measure(_ name: String) throws -> AttentionMeasure {
        let names = AttentionMeasure.allCases.map(\.name)
        if let measure = AttentionMeasure.allCases.first(where: { $0.name == name }) { return measure }
        throw CommandError(
            "there is no score \(name.escapedForTerminal)",
            remedy: Suggestion.remedy(for: name, among: names), exitCode: 2)
    }

    private static func index(_ number: Int, count: Int, _ noun: String) throws -> Int {
        let index = number < 0 && number >= -count ? count + number : number
        guard (0..<count).contains(index) else {
            throw CommandError(
                "there is no \(noun) \(number)", remedy: "the model has \(noun)s 0 to \(count - 1)", exitCode: 2)
        }
        return index
    }

    /// Returns the heads that `--head` names, or nil if it is not given.
    ///
    /// - Throws: `CommandError` if there is no such head, or if no layer is given.
    private func chosenHeads(layer: Int?, count: Int) throws -> [Int]? {
        guard let head else { return nil }
        guard layer != nil else { throw CommandError("--head needs a layer", remedy: "add --layer L", exitCode: 2) }
        if head == "*" { return Array(0..<count) }
        guard let number = Int(head) else {
            throw CommandError(
                "\"\(head.escapedForTerminal)\" is no head", remedy: "give a number, or '*' for all", exitCode: 2)
        }
        return [try Self.index(number, count: count, "head")]
    }

    /// Returns whether the patterns are kept.
    ///
    /// - Throws: `CommandError` if patterns were requested but take more than the limit.
    private func checkMemory(tokens: Int, heads: [Int]?, of c: CheckpointFacts) throws -> Bool {
        guard layer != nil else { return false }
        // Patterns are kept as 32-bit floats while the model runs, and then as the numbers of the report.
        let (bytes, overflows) = AttentionRun.patternBytes(heads: heads?.count ?? c.heads, tokens: tokens)
            .multipliedReportingOverflow(by: 1 + MemoryLayout<Double?>.stride / 4)
        guard heads != nil || plotting.plot != nil else { return !overflows && bytes <= Self.unaskedLimit }
        guard !overflows, bytes <= Self.memoryLimit else {
            throw CommandError(
                "patterns of \(counted(tokens, "token")) and \(counted(heads?.count ?? c.heads, "head")) need"
                    + " \(overflows ? "too much" : NumberFormat.bytes(bytes)) of memory, more than"
                    + " \(NumberFormat.bytes(Self.memoryLimit))",
                remedy: heads?.count == 1 ? "give a shorter text" : "choose one with --head, or give a shorter text")
        }
        return true
    }
}

extension AttentionMeasure {
    /// The measure's name in the form in which `--score` takes it.
    var name: String { "\(self)" }

    var axis: Series.Axis {
        switch self {
        case .entropy: Series.Axis(name, unit: "nats")
        case .distance: Series.Axis(name, unit: "tokens")
        default: Series.Axis("share", range: 0...1)
        }
    }

    var phrase: String {
        switch self {
        case .sink: "share on the first token"
        case .previous: "share on the token before"
        case .`self`: "share on the token itself"
        case .induction: "share on the token after the last earlier occurrence"
        case .duplicate: "share on the last earlier occurrence"
        case .entropy: "entropy of the pattern"
        case .distance: "mean distance to the key"
        }
    }
}
