import Models
package import Workbench

/// A score of the tokens to which an attention head attends. Each score is a mean over the prompt's tokens as queries,
/// from the second token on.
package enum AttentionMeasure: String, CaseIterable, Sendable {
    /// The share of a query's attention, from 0 to 1, that falls on the prompt's first token.
    case sink
    /// The share of a query's attention, from 0 to 1, that falls on the token just before the query.
    case previous
    /// The share of a query's attention, from 0 to 1, that falls on the query's own token.
    case `self`
    /// The share of a query's attention on the token that follows the last earlier occurrence of the query's token.
    case induction
    /// The share of a query's attention on the last earlier occurrence of the query's token.
    case duplicate
    /// The entropy of a query's attention probabilities over its keys, in nats.
    case entropy
    /// The mean distance from a query to the keys that it attends to, in tokens.
    case distance

    fileprivate var score: AttentionScores.Measure {
        switch self {
        case .sink: .sink
        case .previous: .previous
        case .`self`: .`self`
        case .induction: .induction
        case .duplicate: .duplicate
        case .entropy: .entropy
        case .distance: .distance
        }
    }
}

/// A run that measures to which tokens a model's heads attend in one prompt.
package struct AttentionRun {
    /// The measured attention scores of some layers, and the attention patterns of some heads of one layer.
    package struct Result {
        package let layers: Int
        /// The number of query heads (of attention) in each layer.
        package let heads: Int
        private let scores: AttentionScores
        private let collector: PatternCollector?
        private let window: Int?

        fileprivate init(
            layers: Int, heads: Int, scores: AttentionScores, collector: PatternCollector?, window: Int?
        ) {
            self.layers = layers
            self.heads = heads
            self.scores = scores
            self.collector = collector
            self.window = window
        }

        package var hasPatterns: Bool { collector != nil }

        /// Returns the number of queries (tokens of the prompt) over which an attention measure is averaged.
        package func count(_ measure: AttentionMeasure) -> Int { scores.count(measure.score) }

        /// Returns a head's mean of an attention measure over queries, or nil if there is no query at which it can be
        /// taken.
        package func mean(_ measure: AttentionMeasure, layer: Int, head: Int) -> Double? {
            scores.mean(measure.score, layer: layer, head: head)
        }

        /// Returns the value of an attention measure if attention is uniform over the keys that a query of the layer
        /// sees.
        package func null(_ measure: AttentionMeasure, layer: Int) -> Double? {
            scores.null(measure.score, layer: layer)
        }

        /// Returns the mean over layers of an attention measure's null, its value under uniform attention.
        package func null(_ measure: AttentionMeasure) -> Double? { scores.null(measure.score) }

        /// Returns the attention probability (softmax) that a head's query gives to a key, or 0 where no pattern was
        /// kept.
        package func probability(head: Int, query: Int, key: Int) -> Float {
            collector?.probability(head: head, query: query, key: key) ?? 0
        }

        /// Returns whether, in the layer that was measured, a query sees a key: one that is not later and within the
        /// window.
        package func sees(query: Int, key: Int) -> Bool { key <= query && query - key < window ?? .max }
    }

    private let context: RunContext
    private let checkpoint: LoadedCheckpoint

    package init(_ context: RunContext, _ checkpoint: LoadedCheckpoint) {
        self.context = context
        self.checkpoint = checkpoint
    }

    /// Returns the number of bytes that the attention patterns of some heads take in f32, for a prompt of `tokens`
    /// tokens.
    package static func patternBytes(heads: Int, tokens: Int) -> Int {
        PatternCollector.bytes(heads: heads, tokens: tokens)
    }

    /// Runs the model on a prompt and measures to which tokens its heads attend.
    ///
    /// - Parameters:
    ///   - ids: The tokens of the prompt, of which there are two or more.
    ///   - layer: The layer whose scores are measured, or nil for all layers.
    ///   - heads: The heads of that layer whose patterns are kept, or nil for none.
    package func run(_ ids: [Int32], layer: Int?, keeping heads: [Int]?) throws -> Result {
        let c = try checkpoint.configuration()
        let scores = AttentionScores(
            tokens: ids, layers: layer.map { $0..<$0 + 1 } ?? 0..<c.layers, heads: c.heads,
            windows: c.attention.map(\.window))
        let collector = layer.flatMap { layer in
            heads.map { PatternCollector(layer: layer, heads: $0, tokens: ids.count) }
        }
        let taps: [any PatternTap] = [scores] + (collector.map { [$0] } ?? [])
        try context.run(checkpoint, TokenSequences([ids]), patterns: taps)
        return Result(
            layers: c.layers, heads: c.heads, scores: scores, collector: collector,
            window: layer.flatMap { c.attention[$0].window })
    }
}
