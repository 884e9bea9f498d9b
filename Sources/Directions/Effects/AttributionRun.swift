import Control
import LinearAlgebra
import Models
package import Statistics
package import Workbench

/// Direct logit attribution over prompts: what each component of the model (embedding, attention, MLP) adds to a
/// token's logit, prompt by prompt, and what it adds to random tokens.
package struct AttributionRun {
    package let components: [LogitAttribution.Component]
    /// The contributions of the model's components to the explained logit of each prompt, [prompts, components].
    package private(set) var values: [[Double]] = []
    /// The tokens whose logits are explained, [prompts].
    package private(set) var answers: [Int32] = []
    /// The logits that the model itself gave, [prompts]: the answer's, minus the other token's if there is one, before
    /// any soft cap.
    package private(set) var logits: [Double] = []
    /// For each component of the model, its mean contribution over prompts to the logit of each random token,
    /// [components, tokens].
    package private(set) var random: [[Double]]

    /// The number of random tokens with whose logits a component's contribution is compared.
    package static let nullTokens = 100
    /// The number of prompts whose residual streams are divided into parts at a time.
    private static let group = 64

    /// - Parameters:
    ///   - ids: the token ids of each prompt.
    ///   - positions: the position of each prompt whose logit is explained.
    ///   - answer: the token whose logit is explained for every prompt; nil takes the likeliest token of each.
    ///   - versus: a token whose logit is subtracted; nil for none.
    ///   - hasHeads: whether attention is divided into heads and its output bias.
    /// - Throws: `DirectionsError.headsBehindNorm`; the run's errors; `CancellationError`.
    package init(
        _ context: RunContext, _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], positions: [Int], answer: Int32?,
        versus: Int32?, hasHeads: Bool, choices: RunChoices
    ) throws {
        let sequences = TokenSequences(ids)
        let rows = positions.enumerated().map { sequences.starts[$0] + $1 }
        let model = try checkpoint.model()
        let c = model.configuration
        let attribution = try LogitAttribution(
            model, hasHeads: hasHeads, hasEdits: !checkpoint.edits.active.isEmpty)
        components = attribution.components
        let selection = RowSelection(
            sequences, positions: rows.indices.map { [rows[$0] - sequences.starts[$0]] }, isMean: false)
        let rowsOfSites = CollectedRows(attribution.sites, selection)
        var (answers, logits): ([Int32], [Double]) = ([], [])
        let request = RowLogits.request(rows, vocabulary: c.vocabularySize) { _, line in
            guard line.allSatisfy(\.isFinite) else { throw ModelError.notFinite(site: "logits") }
            func logit(_ token: Int32) -> Double {
                let value = Double(line[Int(token)])
                return c.logitSoftCap.map { Double($0) * Elementary.atanh(value / Double($0)) } ?? value
            }
            let chosen = answer ?? Int32(line.indices.max { (line[$0], $1) < (line[$1], $0) } ?? 0)
            answers.append(chosen)
            logits.append(logit(chosen) - (versus.map(logit) ?? 0))
        }
        try context.run(checkpoint, sequences, taps: [rowsOfSites.tap], logits: request, choices: choices)
        (self.answers, self.logits) = (answers, logits)

        let collected = rowsOfSites.matrices
        let off = versus.map(attribution.unembedding)
        var generator = SeededRandom(seed: context.seed)
        let tokens = generator.sample(Self.nullTokens, of: c.vocabularySize).map { Int32($0) }
        let unembeddings = tokens.map(attribution.unembedding)
        var sums = [[Double]](
            repeating: [Double](repeating: 0, count: tokens.count), count: components.count)
        let pool = context.pool
        for start in stride(from: 0, to: rows.count, by: Self.group) {
            let group = start..<min(start + Self.group, rows.count)
            var found = [[[Double]]](repeating: [], count: group.count)
            try found.withUnsafeMutableBufferPointer { buffer in
                nonisolated(unsafe) let results = buffer
                try pool.run(tasks: group.count) { task, _ in
                    try context.control.checkCancellation()
                    let prompt = start + task
                    let parts = attribution.parts(collected, row: prompt)
                    var target = attribution.unembedding(answers[prompt])
                    if let off { for index in target.indices { target[index] -= off[index] } }
                    results[task] = [parts.contributions(to: target)] + unembeddings.map(parts.contributions)
                }
            }
            for lines in found {
                values.append(lines[0])
                for component in components.indices {
                    for token in tokens.indices { sums[component][token] += lines[1 + token][component] }
                }
            }
            context.control.report(done: group.upperBound, total: rows.count, unit: "prompts attributed")
        }
        random = sums.map { $0.map { $0 / Double(rows.count) } }
    }

    /// Returns the mean contribution of a component (by index) to the explained logit, with its interval over prompts.
    package func mean(_ component: Int) -> ClusteredMean? { ClusteredMean(values.map { [$0[component]] }) }

    /// Returns the largest magnitude, over all prompts, of a component's contribution to the explained logit.
    package func largest(_ component: Int) -> Double { values.reduce(0) { max($0, abs($1[component])) } }

    /// Returns the range that holds 95 % (normal) of the contributions to random tokens' logits, of one component or,
    /// if nil, of the sum of all.
    ///
    /// - Parameter isDifference: whether the range is that of one random token minus another.
    package func null(_ component: Int?, isDifference: Bool) -> (mean: Double, halfWidth: Double) {
        let list =
            component.map { random[$0] }
            ?? (random.first ?? []).indices.map { token in random.reduce(0) { $0 + $1[token] } }
        let n = Double(list.count)
        let mean = list.reduce(0, +) / n
        let deviation = (list.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(n - 1, 1)).squareRoot()
        return isDifference
            ? (0, Proportion.z95 * deviation * 2.0.squareRoot()) : (mean, Proportion.z95 * deviation)
    }

    /// The largest difference, over prompts, between the sum of the components' contributions and the logit of the run.
    package var residual: Double {
        zip(values, logits).reduce(0) { max($0, abs($1.0.reduce(0, +) - $1.1)) }
    }
}
