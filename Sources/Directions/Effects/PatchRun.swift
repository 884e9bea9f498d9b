import LinearAlgebra
import Models
package import Sites
package import Workbench

/// Activation patching: one prompt is run again and again, each time with another of its activations replaced by that
/// of another prompt at the same place. (Vig et al. 2020; Meng et al. 2022, section 2; Heimersheim and Nanda 2024.)
package struct PatchRun {
    package let context: RunContext
    package let checkpoint: LoadedCheckpoint
    /// The token ids of the prompt whose activations are put into the other prompt's run.
    package let source: [Int32]
    /// The token ids of the prompt that is run with patches; it has as many tokens as the source.
    package let target: [Int32]
    package let precision: Precision

    package init(
        context: RunContext, checkpoint: LoadedCheckpoint, source: [Int32], target: [Int32], precision: Precision
    ) {
        self.context = context
        self.checkpoint = checkpoint
        self.source = source
        self.target = target
        self.precision = precision
    }

    /// The largest number of token rows, over copies of the target prompt, that are run together.
    private static let mostRows = 4096

    /// Returns the unpatched model's logits at the last position of a prompt, [vocabulary].
    package func logits(_ ids: [Int32]) throws -> [Float] {
        try context.answer(checkpoint, after: ids, choices: RunChoices(precision: precision)).logits
    }

    /// Computes a metric of the target prompt's logits after each patch of its activations.
    ///
    /// - Parameters:
    ///   - selections: what is patched: whole sites (named places in the model) or heads, in the order of computation.
    ///   - atOnce: whether all token positions are patched together.
    ///   - metric: computes a number from the logits at the last position.
    /// - Returns: [selection][position], or [selection][0] if all positions are patched together.
    package func sweep(
        _ selections: [SiteSelection], atOnce: Bool, metric: ([Float]) -> Double
    ) throws -> [[Double]] {
        let c = try checkpoint.configuration()
        let sites = Set(selections.map(\.site)).sorted()
        let donor = try streams(source, sites)
        // With edits in force every run begins at the embedding: a run that continued from a layer's input would apply
        // the edits of that input twice.
        let layers = Set(sites.filter(\.kind.isLayered).map(\.layer)).sorted()
        let inputs =
            checkpoint.edits.active.isEmpty
            ? try streams(target, layers.map { Site(.residPre, layer: $0) }) : [:]
        let groups = selections.map { _ in atOnce ? [Array(source.indices)] : source.indices.map { [$0] } }
        let total = groups.reduce(0) { $0 + $1.count }
        var done = 0
        defer { context.tell(.scopeEnded) }
        return try zip(selections, groups).map { selection, groups in
            var values: [Double] = []
            let most = max(1, Self.mostRows / target.count)
            for start in stride(from: 0, to: groups.count, by: most) {
                let chunk = Array(groups[start..<min(start + most, groups.count)])
                context.tell(.scope(done: done * 1000, total: total * 1000))
                guard let rows = donor[selection.site] else { preconditionFailure("a site that was not captured") }
                values += try patched(
                    selection, chunk, rows,
                    from: selection.site.kind.isLayered
                        ? inputs[Site(.residPre, layer: selection.site.layer)].map {
                            ResidualStart(layer: selection.site.layer, stream: Self.repeated($0, chunk.count))
                        } : nil, c
                ).map(metric)
                done += chunk.count
            }
            return values
        }
    }

    /// Runs one copy of the target prompt for each group of positions, patched there, and returns its last logits.
    private func patched(
        _ selection: SiteSelection, _ groups: [[Int]], _ donor: Matrix, from start: ResidualStart?,
        _ c: ModelConfiguration
    ) throws -> [[Float]] {
        let width = c.width(of: selection.site)
        let columns = selection.head.map { $0 * c.headDimension..<($0 + 1) * c.headDimension } ?? 0..<width
        let part = Matrix(
            rows: donor.rows, columns: columns.count,
            values: (0..<donor.rows).flatMap {
                donor.values[$0 * width + columns.lowerBound..<$0 * width + columns.upperBound]
            })
        let wanted = groups.map(Set.init)
        let patch = Replacement(
            .rows(part, at: { wanted[$0.prompt].contains($0.position) ? $0.position : nil }), columns: columns,
            sites: [selection.site])
        let sequences = TokenSequences(groups.map { _ in target })
        var result: [[Float]] = []
        var task = RunTask(sequences)
        task.edits = checkpoint.edits.active + [patch]
        task.start = start
        task.choices = RunChoices(precision: precision)
        task.logits = RowLogits.request(sequences.lastRows, vocabulary: c.vocabularySize) { _, logits in
            result.append(try RowLogits.finite(logits))
        }
        task.logitRows = groups.count
        task.last = Site(.logits)
        try context.run(checkpoint, task)
        return result
    }

    /// Returns the activations of all tokens of one prompt, by site (a named place in the model), [tokens, width] each.
    private func streams(_ ids: [Int32], _ sites: [Site]) throws -> [Site: Matrix] {
        guard !sites.isEmpty else { return [:] }
        return try context.rows(
            checkpoint, [ids], positions: [Array(ids.indices)], sites: sites, choices: RunChoices(precision: precision))
    }

    private static func repeated(_ matrix: Matrix, _ count: Int) -> Matrix {
        Matrix(
            rows: matrix.rows * count, columns: matrix.columns,
            values: Array(repeatElement(matrix.values, count: count).joined()))
    }
}
