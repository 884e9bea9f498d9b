import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// Activations of two checkpoints at the same sites, positions and tokens.
struct PairedActivations {
    let pair: CheckpointPair
    /// In the order of computation; those that both have.
    let sites: [Site]
    /// Asked for, or in A, and not in B.
    let missing: [Site]
    /// Rows before a sample was drawn.
    let total: Int
    /// The prompt that each row is of.
    let prompts: [Int]
    let position: Position
    let choices: RunChoices
    private let matrices: (a: [Site: Matrix], b: [Site: Matrix])

    var count: Int { prompts.count }

    /// The prompts' number where rows of one are not independent; they then stay together when halves are drawn.
    var groups: [Int]? { Set(prompts).count < prompts.count ? prompts : nil }

    /// Of A and of B, [count, width] each.
    func rows(at site: Site) throws -> (a: Matrix, b: Matrix) {
        guard let a = matrices.a[site], let b = matrices.b[site] else {
            throw CommandError("this model has no \(site.kind.shortName)", remedy: "see help sites")
        }
        return (a, b)
    }

    /// Rows beyond this many are drawn from those that there are: a kernel grows with their square.
    static let rowLimit = 1024

    /// - Parameters:
    ///   - sites: expressions with commas between them; nil: the residual stream after every layer.
    ///   - position: all and mean leave out a BOS token that the tokenizer adds.
    /// - Throws: `CommandError` that names the first token that differs, or what the checkpoints don't share.
    init(
        _ pair: CheckpointPair, _ set: PromptSet, sites: String?, at position: Position, choices: RunChoices,
        in session: Session
    ) throws {
        (self.pair, self.position, self.choices) = (pair, position, choices)
        (self.sites, missing) = try Self.sites(sites ?? "resid_post[*]", pair)
        guard !set.prompts.isEmpty else {
            throw CommandError("the set has no prompts", remedy: "read some with prompts FILE")
        }
        _ = try pair.encode(set, at: .last, in: session.context())
        let encoded = try pair.a.checkpoint.encode(set, control: session.control)
        let positions = try session.context().positions(
            position, pair.a.checkpoint, ids: encoded.ids, texts: encoded.texts, isRendered: set.isChat,
            includesLeading: false)
        let isMean = position == .mean
        var places = positions.enumerated().flatMap { prompt, list in
            isMean ? [(prompt, -1)] : list.map { (prompt, $0) }
        }
        total = places.count
        if places.count > Self.rowLimit {
            var random = SeededRandom(seed: session.settings.seed, stream: 0xA1)
            places = random.sample(Self.rowLimit, of: places.count).map { places[$0] }
        }
        prompts = places.map(\.0)
        let kept = Dictionary(grouping: places, by: \.0).sorted { $0.key < $1.key }
        let sequences = TokenSequences(kept.map { encoded.ids[$0.key] })
        let chosen = kept.map { isMean ? positions[$0.key] : $0.value.map(\.1) }
        let selection = RowSelection(sequences, positions: chosen, isMean: isMean)
        let found = self.sites
        let sides = pair.a.checkpoint === pair.b.checkpoint ? [pair.a] : [pair.a, pair.b]
        var tasks: [(RunTask, LoadedCheckpoint)] = []
        var sinks: [MatrixSink] = []
        for side in sides {
            let c = try side.checkpoint.model().configuration
            try sequences.validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
            let sink = MatrixSink(rows: selection.outputCount, pool: try session.pool())
            var task = RunTask(sequences)
            task.selections = found.map { SiteSelection($0) }
            task.last = found.max() ?? task.last
            task.choices = choices
            task.edits = side.edits
            task.resultBytes = found.reduce(0) { $0 + c.width(of: $1) * 4 } * selection.outputCount
            task.taps = [SiteCollector(sites: found, selection: selection, sink: sink)]
            tasks.append((task, side.checkpoint))
            sinks.append(sink)
        }
        try session.context().announce(tasks.map { (task: $0.0, checkpoint: $0.1) })
        for (task, checkpoint) in tasks { try session.context().run(checkpoint, task) }
        matrices = (sinks[0].matrices, sinks[sinks.count - 1].matrices)
    }

    private static func sites(_ text: String, _ pair: CheckpointPair) throws -> (both: [Site], missing: [Site]) {
        let configurations = try [pair.a, pair.b].map { try $0.checkpoint.configuration() }
        let found = try Set(SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: configurations[0]) })
            .sorted()
        if let bad = found.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw CommandError(
                "\(bad.shortName) has no rows to compare",
                remedy: bad.kind == .logits ? "give: compare A B logits" : "name another site, as resid_post[3]",
                exitCode: 2)
        }
        let other = configurations[1]
        let both = found.filter {
            other.siteKinds.contains($0.kind) && (!$0.kind.isLayered || $0.layer < other.layers)
        }
        guard !both.isEmpty else {
            throw CommandError(
                "\(pair.b.name) has none of the sites \(text.escapedForTerminal)",
                remedy: "name sites that both have with --sites", exitCode: 2)
        }
        return (both, found.filter { !both.contains($0) })
    }

    /// What qualifies every number made of them.
    var notes: [String] {
        var notes: [String] = []
        if count < total { notes.append("\(count) of \(total) rows, drawn with the seed.") }
        if groups != nil {
            notes.append("Rows of one prompt are not independent: they stay together when halves are drawn.")
        }
        if !missing.isEmpty {
            let names = missing.prefix(4).map(\.shortName).joined(separator: ", ")
            notes.append(
                "Not in \(pair.b.name): \(names)\(missing.count > 4 ? " and \(missing.count - 4) more" : "").")
        }
        return notes
    }
}
