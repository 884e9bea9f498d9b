import Foundation
import LinearAlgebra
import Sites
import Statistics
import Testing

@testable import Models

/// Random causal patterns: [layer, head, query, key].
private struct Patterns {
    let tokens: Int
    private var values: [Float]
    private let heads: Int

    init(layers: Int, heads: Int, tokens: Int, isUniform: Bool = false) {
        self.tokens = tokens
        self.heads = heads
        var random = SeededRandom(seed: 7)
        values = []
        for _ in 0..<layers * heads {
            for query in 0..<tokens {
                let raw =
                    isUniform ? [Double](repeating: 1, count: tokens) : random.normal(count: tokens).map { $0 * $0 }
                let sum = raw[...query].reduce(0, +)
                values += (0..<tokens).map { $0 <= query ? Float(raw[$0] / sum) : 0 }
            }
        }
    }

    subscript(layer: Int, head: Int, query: Int, key: Int) -> Double {
        Double(values[((layer * heads + head) * tokens + query) * tokens + key])
    }

    /// Gives a tap everything in blocks of 64 queries, the last block first.
    func show(_ tap: some PatternTap, layers: Range<Int>, prompt: Int = 0) throws {
        for layer in layers where tap.wants(Site(.pattern, layer: layer)) {
            for head in 0..<heads {
                for first in stride(from: (tokens - 1) / 64 * 64, through: 0, by: -64) {
                    let queries = min(64, tokens - first)
                    let keys = first + queries
                    let block = (0..<queries).flatMap { row in
                        (0..<keys).map { Float(self[layer, head, first + row, $0]) }
                    }
                    try block.withUnsafeBufferPointer {
                        try tap.receive(
                            Site(.pattern, layer: layer),
                            PatternBlock(
                                prompt: prompt, head: head, firstQuery: first, queries: queries, keys: keys,
                                values: $0.baseAddress!))
                    }
                }
            }
        }
    }
}

@Suite("Attention scores")
struct AttentionScoresTests {
    @Test("of uniform attention are their nulls")
    func uniform() throws {
        let tokens: [Int32] = (0..<150).map { Int32($0 % 40) }
        let scores = AttentionScores(tokens: tokens, layers: 0..<1, heads: 1, windows: [nil, nil, nil])
        try Patterns(layers: 1, heads: 1, tokens: tokens.count, isUniform: true).show(scores, layers: 0..<1)
        for measure in AttentionScores.Measure.allCases {
            let mean = try #require(scores.mean(measure, layer: 0, head: 0))
            let null = try #require(scores.null(measure))
            #expect(abs(mean - null) < 1e-5 * max(1, null), "\(measure)")
        }
        #expect(scores.count(.sink) == 149)
        #expect(scores.count(.induction) == 110)
    }

    @Test("agree with a plain reading of their definitions")
    func definitions() throws {
        let tokens: [Int32] = [5, 5, 5, 1, 2, 1, 2, 5, 3] + (0..<91).map { Int32($0 * 7 % 13) }
        let patterns = Patterns(layers: 3, heads: 2, tokens: tokens.count)
        let scores = AttentionScores(tokens: tokens, layers: 1..<3, heads: 2, windows: [nil, nil, nil])
        try patterns.show(scores, layers: 0..<3)
        for layer in 1..<3 {
            for head in 0..<2 {
                var sums: [AttentionScores.Measure: (sum: Double, count: Double)] = [:]
                for query in 1..<tokens.count {
                    func add(_ measure: AttentionScores.Measure, _ value: Double) {
                        let old = sums[measure] ?? (0, 0)
                        sums[measure] = (old.sum + value, old.count + 1)
                    }
                    let row = (0...query).map { patterns[layer, head, query, $0] }
                    add(.sink, row[0])
                    add(.previous, row[query - 1])
                    add(.`self`, row[query])
                    add(.entropy, row.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 })
                    add(.distance, row.indices.reduce(0) { $0 + row[$1] * Double(query - $1) })
                    let earlier = (0..<query).filter { tokens[$0] == tokens[query] }
                    if let last = earlier.last { add(.duplicate, row[last]) }
                    if let last = earlier.last(where: { $0 + 1 < query }) { add(.induction, row[last + 1]) }
                }
                for (measure, (sum, count)) in sums {
                    let mean = try #require(scores.mean(measure, layer: layer, head: head))
                    #expect(abs(mean - sum / count) < 1e-9, "\(measure)")
                    #expect(scores.count(measure) == Int(count), "\(measure)")
                }
            }
        }
        #expect(scores.mean(.sink, layer: 0, head: 0) == nil)
        #expect(scores.mean(.sink, layer: 1, head: 2) == nil)
    }

    @Test("planted heads stand out")
    func planted() throws {
        // A text said twice; one head looks at the token after the earlier occurrence.
        let half: [Int32] = (0..<40).map { $0 }
        let tokens = half + half
        let scores = AttentionScores(tokens: tokens, layers: 0..<1, heads: 1, windows: [nil, nil, nil])
        for first in [0, 64] {
            let queries = min(64, 80 - first)
            let keys = first + queries
            var block = [Float](repeating: 0, count: queries * keys)
            for row in 0..<queries {
                let query = first + row
                block[row * keys + (query < 40 ? 0 : query - 39)] = 1
            }
            try block.withUnsafeBufferPointer {
                try scores.receive(
                    Site(.pattern, layer: 0),
                    PatternBlock(
                        prompt: 0, head: 0, firstQuery: first, queries: queries, keys: keys, values: $0.baseAddress!))
            }
        }
        #expect(scores.mean(.induction, layer: 0, head: 0) == 1)
        #expect(scores.mean(.duplicate, layer: 0, head: 0) == 0)
        #expect(scores.mean(.entropy, layer: 0, head: 0) == 0)
    }

    @Test("the null of a layer with a window sees no further")
    func windows() throws {
        let tokens: [Int32] = [7, 8, 7, 9, 9, 7, 8, 1]
        let scores = AttentionScores(tokens: tokens, layers: 0..<2, heads: 1, windows: [nil, 3])
        // Uniform patterns of both layers.
        for (layer, window) in [(0, 8), (1, 3)] {
            var block = [Float](repeating: 0, count: 64)
            for query in 0..<8 {
                let seen = min(query + 1, window)
                for key in query - seen + 1...query { block[query * 8 + key] = 1 / Float(seen) }
            }
            try block.withUnsafeBufferPointer {
                try scores.receive(
                    Site(.pattern, layer: layer),
                    PatternBlock(
                        prompt: 0, head: 0, firstQuery: 0, queries: 8, keys: 8, values: $0.baseAddress!))
            }
            for measure in AttentionScores.Measure.allCases {
                let mean = try #require(scores.mean(measure, layer: layer, head: 0))
                let null = try #require(scores.null(measure, layer: layer))
                #expect(abs(mean - null) < 1e-6, "\(measure) \(layer)")
            }
        }
        let nulls = (0..<2).compactMap { scores.null(.sink, layer: $0) }
        #expect(nulls[0] != nulls[1] && scores.null(.sink) == (nulls[0] + nulls[1]) / 2)
    }

    @Test("no repeated token, no induction")
    func none() {
        let scores = AttentionScores(tokens: [1, 2, 3], layers: 0..<1, heads: 1, windows: [nil, nil, nil])
        #expect(scores.mean(.induction, layer: 0, head: 0) == nil)
        #expect(scores.null(.induction) == nil)
        // An occurrence right before the query has the query itself as its successor.
        #expect(
            AttentionScores(tokens: [4, 4], layers: 0..<1, heads: 1, windows: [nil, nil, nil]).count(.induction) == 0)
        #expect(
            AttentionScores(tokens: [4, 4, 4], layers: 0..<1, heads: 1, windows: [nil, nil, nil]).count(.induction) == 1
        )
    }

    @Test("a NaN is an error, not a number")
    func notFinite() {
        let scores = AttentionScores(tokens: [1, 2], layers: 0..<1, heads: 1, windows: [nil, nil, nil])
        let collector = PatternCollector(layer: 0, heads: [0], tokens: 2)
        ([1, 0, .nan, 0.5] as [Float]).withUnsafeBufferPointer { values in
            let block = PatternBlock(
                prompt: 0, head: 0, firstQuery: 0, queries: 2, keys: 2, values: values.baseAddress!)
            for tap in [scores, collector] as [any PatternTap] {
                #expect(throws: ModelError.self) { try tap.receive(Site(.pattern, layer: 0), block) }
            }
        }
    }

    @Test("the collector keeps the heads asked for")
    func collector() throws {
        let patterns = Patterns(layers: 2, heads: 3, tokens: 130)
        let collector = PatternCollector(layer: 1, heads: [2, 0], tokens: 130)
        try patterns.show(collector, layers: 0..<2)
        for head in [0, 2] {
            for (query, key) in [(0, 0), (63, 12), (64, 64), (129, 0), (129, 129), (5, 6)] {
                #expect(
                    Double(collector.probability(head: head, query: query, key: key)) == patterns[1, head, query, key])
            }
        }
        #expect(collector.probability(head: 1, query: 0, key: 0).isNaN)
        #expect(PatternCollector.bytes(heads: 2, tokens: 1000) == 8_000_000)
        #expect(PatternCollector.bytes(heads: 32, tokens: .max) == .max)
    }
}
