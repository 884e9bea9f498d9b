import Models
package import Workbench

/// A score of the tokens to which a head attends. Each score is a mean over queries from the second token on.
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
    /// The entropy of the pattern, in nats.
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

/// A run that measures to which tokens a model's heads attend in one prompt.
package struct AttentionRun {
    /// The measured scores of some layers, and the patterns of some heads of one layer.
    package struct Result {
        package let layers: Int
        /// The number of query heads in a layer.
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

        /// Returns the number of queries over which a measure is averaged.
        package func count(_ measure: AttentionMeasure) -> Int { scores.count(measure.score) }

        /// Returns the mean of a measure over queries, or nil if there is no query at which it can be taken.
        package func mean(_ measure: AttentionMeasure, layer: Int, head: Int) -> Double? {
            scores.mean(measure.score, layer: layer, head: head)
        }

        /// Returns the value of a measure under uniform attention over the keys that a query of the layer sees.
        package func null(_ measure: AttentionMeasure, layer: Int) -> Double? {
            scores.null(measure.score, layer: layer)
        }

        /// Returns the mean of the layers' nulls.
        package func null(_ measure: AttentionMeasure) -> Double? { scores.null(measure.score) }

        /// Returns the softmax probability of a key, or 0 where no pattern was kept.
        package func probability(head: Int, query: Int, key: Int) -> Float {
            collector?.probability(head: head, query: query, key: key) ?? 0
        }

        /// Returns whether a query of the layer that was run sees a key.
        package func sees(query: Int, key: Int) -> Bool { key <= query && query - key < window ?? .max }
    }

    private let context: RunContext
    private let checkpoint: LoadedCheckpoint

    package init(_ context: RunContext, _ checkpoint: LoadedCheckpoint) {
        self.context = context
        self.checkpoint = checkpoint
    }

    /// Returns the number of bytes that the patterns of some heads take in f32.
    package static func patternBytes(heads: Int, tokens: Int) -> Int {
        PatternCollector.bytes(heads: heads, tokens: tokens)
    }

    /// Runs the model on a prompt and measures its attention.
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
