package import Control
import LinearAlgebra
package import Models
import Workbench

/// The first tokens of replies that distinguish two classes of prompts, for a score whose tokens the user does not
/// name.
///
/// The rule takes the tokens whose mean probability after the positive prompts exceeds that after the negative ones by
/// at least a given share: the largest differences first, up to a given number of tokens, and of equals the smaller id.
package struct ContrastTokens: Sendable, Equatable {
    package struct Token: Sendable, Equatable {
        package let id: Int
        /// The mean probability of this token at the last position of the positive prompts.
        package let positive: Double
        /// The mean probability of this token at the last position of the negative prompts.
        package let negative: Double

        package var difference: Double { positive - negative }
    }

    /// The tokens that distinguish the classes, in descending order of the difference of their mean probabilities.
    package let tokens: [Token]
    /// The work of the search for distinguishing tokens, in tokens times layers.
    package let tokenLayers: Int

    package static let defaultShare = 0.05
    package static let defaultMost = 5

    /// - Parameters:
    ///   - share: the least difference of a token's mean probabilities after the two classes' prompts.
    ///   - most: the largest number of distinguishing tokens that are taken.
    /// - Throws: `SelectionError.noPrompts` for an empty class; `SelectionError.noContrast` if no token differs by that
    ///   much; `ModelError.notFinite`.
    package init(
        runner: Runner, positives: [[Int32]], negatives: [[Int32]], share: Double = Self.defaultShare,
        most: Int = Self.defaultMost, control: RunControl
    ) throws {
        precondition(most > 0, "at most \(most) tokens")
        guard !positives.isEmpty else { throw SelectionError.noPrompts(.positive, part: "training") }
        guard !negatives.isEmpty else { throw SelectionError.noPrompts(.negative, part: "training") }
        let positive = try Self.meanProbabilities(runner, positives, control)
        let negative = try Self.meanProbabilities(runner, negatives, control)
        let all = positive.indices.map { Token(id: $0, positive: positive[$0], negative: negative[$0]) }
        let found = all.filter { $0.difference >= share }
            .sorted { ($1.difference, $0.id) < ($0.difference, $1.id) }
        guard !found.isEmpty else {
            throw SelectionError.noContrast(largest: all.map(\.difference).max() ?? 0, needed: share)
        }
        tokens = Array(found.prefix(most))
        let count = (positives + negatives).reduce(0) { $0 + $1.count }
        tokenLayers = count * runner.model.configuration.layers
    }

    /// Returns the mean probability of each token at the prompts' last positions, [vocabulary], in float64.
    private static func meanProbabilities(
        _ runner: Runner, _ prompts: [[Int32]], _ control: RunControl
    ) throws -> [Double] {
        let vocabulary = runner.model.configuration.vocabularySize
        let sequences = TokenSequences(prompts)
        let sums = SharedResults(count: vocabulary)
        for id in 0..<vocabulary { sums[id] = 0 }
        let chunk = 4096
        let request = RowLogits.blocks(sequences.lastRows, vocabulary: vocabulary) { _, rows, pool in
            guard rows.allSatisfy({ VectorMath.isFinite($0.baseAddress!, count: vocabulary) }) else {
                throw ModelError.notFinite(site: "logits")
            }
            nonisolated(unsafe) let blocks = rows
            let normalizers = rows.map { LogNormalizer($0) }
            // Each thread has its own tokens and takes the prompts in order, so the bits are the same on any number of
            // threads.
            try pool.run(tasks: (vocabulary + chunk - 1) / chunk) { task, _ in
                let ids = task * chunk..<min((task + 1) * chunk, vocabulary)
                for (row, normalizer) in zip(blocks, normalizers) {
                    for id in ids { sums[id] += normalizer.probability(row[id]) }
                }
            }
        }
        try runner.run(sequences, logits: request, control: control)
        return sums.values(0..<vocabulary).map { $0 / Double(prompts.count) }
    }
}
