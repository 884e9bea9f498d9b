package import LinearAlgebra
import Models
package import Sites
import Statistics
import TerminalText
package import Workbench

/// The activations of two checkpoints at the same sites (named places in the model), positions and tokens.
package struct PairedActivations {
    package let pair: CheckpointPair
    /// The sites that both checkpoints have, in the order of computation.
    package let sites: [Site]
    /// The sites that were asked for, that checkpoint A has and that checkpoint B lacks.
    package let missing: [Site]
    /// The number of rows of activations of each checkpoint before a sample was drawn.
    package let total: Int
    /// The index of the prompt that each row of activations belongs to.
    package let prompts: [Int]
    package let position: Position
    package let choices: RunChoices
    private let matrices: (a: [Site: Matrix], b: [Site: Matrix])

    package var count: Int { prompts.count }

    /// The prompt of each row if some prompt has several rows, which then stay together when halves are drawn; nil if
    /// each row has its own.
    package var groups: [Int]? { Set(prompts).count < prompts.count ? prompts : nil }

    /// Returns the activations of checkpoints A and B at a site, each [count, width]; row i of both is the same token.
    package func rows(at site: Site) throws -> (a: Matrix, b: Matrix) {
        guard let a = matrices.a[site], let b = matrices.b[site] else {
            throw WorkbenchError.modelHasNoSite(site)
        }
        return (a, b)
    }

    /// The largest number of rows of activations of each checkpoint; of more, a sample is drawn, because a kernel
    /// matrix grows with their square.
    package static let rowLimit = 1024

    /// Runs two checkpoints over a set of prompts and keeps their activations.
    ///
    /// - Parameters:
    ///   - sites: expressions for sites separated by commas; nil means the residual stream after every layer.
    ///   - position: the token positions; `all` and `mean` leave out a BOS token that the tokenizer adds, and first
    ///     rows that are outliers in either checkpoint.
    ///   - keepsFirst: whether first rows that are outliers are kept.
    /// - Throws: `WorkbenchError` that names the first token that differs; `ComparisonError` if there are no prompts or
    ///   no shared sites; `SiteError`.
    package init(
        _ pair: CheckpointPair, _ set: PromptSet, sites: String?, at position: Position, keepsFirst: Bool = false,
        choices: RunChoices, in context: RunContext
    ) throws {
        (self.pair, self.position, self.choices) = (pair, position, choices)
        (self.sites, missing) = try Self.sites(sites ?? "resid_post[*]", pair)
        guard !set.prompts.isEmpty else {
            throw ComparisonError.noPrompts(set: nil)
        }
        _ = try pair.encode(set, at: .last, in: context)
        let encoded = try pair.a.checkpoint.encode(set, in: context)
        let whole = try context.positions(position, pair.a.checkpoint, encoded, includesLeading: false)
        let sides = pair.a.checkpoint === pair.b.checkpoint ? [pair.a] : [pair.a, pair.b]
        let positions =
            keepsFirst
            ? whole
            : try context.withoutOutlierFirstRows(
                [FirstRowSet(ids: encoded.ids, positions: whole)], of: sides, at: position, sites: self.sites,
                choices: choices)[0]
        let isMean = position == .mean
        var places = positions.enumerated().flatMap { prompt, list in
            isMean ? [(prompt, -1)] : list.map { (prompt, $0) }
        }
        total = places.count
        if places.count > Self.rowLimit {
            var random = SeededRandom(seed: context.seed, .pairedRows)
            places = random.sample(Self.rowLimit, of: places.count).map { places[$0] }
        }
        prompts = places.map(\.0)
        let kept = Dictionary(grouping: places, by: \.0).sorted { $0.key < $1.key }
        let sequences = TokenSequences(kept.map { encoded.ids[$0.key] })
        let chosen = kept.map { isMean ? positions[$0.key] : $0.value.map(\.1) }
        let selection = RowSelection(sequences, positions: chosen, isMean: isMean)
        let found = self.sites
        var tasks: [(RunTask, LoadedCheckpoint)] = []
        var collected: [CollectedRows] = []
        for side in sides {
            let c = try side.checkpoint.model().configuration
            try sequences.validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
            let rows = CollectedRows(found, selection, pool: context.pool)
            var task = RunTask(sequences)
            task.selections = found.map { SiteSelection($0) }
            task.last = found.max() ?? task.last
            task.choices = choices
            task.edits = side.edits
            task.resultBytes = found.reduce(0) { $0 + c.width(of: $1) * 4 } * selection.outputCount
            task.taps = [rows.tap]
            tasks.append((task, side.checkpoint))
            collected.append(rows)
        }
        try context.announce(tasks.map { (task: $0.0, checkpoint: $0.1) })
        for (task, checkpoint) in tasks { try context.run(checkpoint, task) }
        matrices = (collected[0].matrices, collected[collected.count - 1].matrices)
    }

    private static func sites(_ text: String, _ pair: CheckpointPair) throws -> (both: [Site], missing: [Site]) {
        let configurations = try [pair.a, pair.b].map { try $0.checkpoint.configuration() }
        let found = try Set(SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: configurations[0]) })
            .sorted()
        if let bad = found.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw ComparisonError.noRows(bad)
        }
        let other = configurations[1]
        let both = found.filter {
            other.siteKinds.contains($0.kind) && (!$0.kind.isLayered || $0.layer < other.layers)
        }
        guard !both.isEmpty else {
            throw ComparisonError.noSharedSites(checkpoint: pair.b.name, sites: text)
        }
        return (both, found.filter { !both.contains($0) })
    }

    /// Notes for reports on what the activations cover: whether they are a sample, are independent, and lack sites of
    /// A.
    package var notes: [String] {
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
