import Models
package import Workbench

/// A score of where a head looks, a mean over queries from the second token on.
package enum AttentionMeasure: String, CaseIterable, Sendable {
    /// The share on the first token.
    case sink
    /// The share on the token before.
    case previous
    /// The share on the token itself.
    case `self`
    /// The share on the token after the last earlier occurrence of the same token.
    case induction
    /// The share on the last earlier occurrence of the same token.
    case duplicate
    /// Of the pattern, in nats.
    case entropy
    /// The mean distance from query to key, in tokens.
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

/// Where a model's heads look in one prompt.
package struct AttentionRun {
    /// What is measured: the scores of some layers, and the patterns of some heads of one layer.
    package struct Result {
        package let layers: Int
        /// Query heads of a layer.
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

        /// The queries that a measure is the mean of.
        package func count(_ measure: AttentionMeasure) -> Int { scores.count(measure.score) }

        /// Nil where there is no query to take it at.
        package func mean(_ measure: AttentionMeasure, layer: Int, head: Int) -> Double? {
            scores.mean(measure.score, layer: layer, head: head)
        }

        /// What uniform attention over the keys that a query of the layer sees would give.
        package func null(_ measure: AttentionMeasure, layer: Int) -> Double? {
            scores.null(measure.score, layer: layer)
        }

        /// The mean of the layers' nulls.
        package func null(_ measure: AttentionMeasure) -> Double? { scores.null(measure.score) }

        /// The softmax probability of a key; 0 where no pattern was kept.
        package func probability(head: Int, query: Int, key: Int) -> Float {
            collector?.probability(head: head, query: query, key: key) ?? 0
        }

        /// Whether a query of the layer in question sees a key.
        package func sees(query: Int, key: Int) -> Bool { key <= query && query - key < window ?? .max }
    }

    private let context: RunContext
    private let checkpoint: LoadedCheckpoint

    package init(_ context: RunContext, _ checkpoint: LoadedCheckpoint) {
        self.context = context
        self.checkpoint = checkpoint
    }

    /// Bytes that the patterns of so many heads take, in f32.
    package static func patternBytes(heads: Int, tokens: Int) -> Int {
        PatternCollector.bytes(heads: heads, tokens: tokens)
    }

    /// - Parameters:
    ///   - ids: the prompt, of two tokens or more.
    ///   - layer: nil: the scores of all layers.
    ///   - keeping: heads of that layer whose patterns are kept; nil: none.
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
