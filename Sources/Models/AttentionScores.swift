package import Sites

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What the heads of some layers do on one prompt, summed up while the model runs, so that no pattern has to be kept.
///
/// Each measure is a mean over the queries that it can be taken at; the first token, which has only itself to attend to,
/// is none of them. The null of each is the same mean for uniform attention over the keys that a query sees.
package final class AttentionScores: PatternTap, @unchecked Sendable {
    package enum Measure: Int, CaseIterable, Sendable {
        /// The share on the first token (Xiao et al. 2023).
        case sink
        /// The share on the token before the query's.
        case previous
        /// The share on the query's own token.
        case `self`
        /// The share on the token after the last earlier occurrence of the query's token (Olsson et al. 2022), at the
        /// queries that have one; an occurrence right before the query does not count.
        case induction
        /// The share on the last earlier occurrence of the query's token (Wang et al. 2022), where there is one.
        case duplicate
        /// -Σ p ln p over the keys, in nats.
        case entropy
        /// Σ p · (query - key), in tokens.
        case distance
    }

    private static let measures = Measure.allCases.count
    private static let blockQueries = 64

    private let layers: Range<Int>
    /// Of each layer of the model; nil: queries see all that came before.
    private let windows: [Int?]
    private let heads: Int
    private let blocks: Int
    /// For each query, the key that induction and duplicate look at; -1 where there is none.
    private let inductionKeys: [Int]
    private let duplicateKeys: [Int]
    /// [layer, head, block, measure]: sums over a block's queries. Each block is written by one call, and the blocks
    /// are added in order afterwards, so that the threads change no bit.
    private let sums: UnsafeMutableBufferPointer<Double>

    /// - Parameters:
    ///   - tokens: the only prompt of the run, two tokens or more.
    ///   - windows: of each layer of the model, the keys that a query sees, itself included; nil: all before it.
    package init(tokens: [Int32], layers: Range<Int>, heads: Int, windows: [Int?]) {
        self.layers = layers
        self.windows = windows
        self.heads = heads
        var last: [Int32: Int] = [:]
        var beforeLast: [Int32: Int] = [:]
        var induction: [Int] = []
        var duplicate: [Int] = []
        for (position, token) in tokens.enumerated() {
            let seen = last[token]
            duplicate.append(seen ?? -1)
            // The successor of an occurrence right before the query would be the query itself.
            let usable = seen == position - 1 ? beforeLast[token] : seen
            induction.append(usable.map { $0 + 1 } ?? -1)
            beforeLast[token] = seen
            last[token] = position
        }
        inductionKeys = induction
        duplicateKeys = duplicate
        blocks = (tokens.count + Self.blockQueries - 1) / Self.blockQueries
        sums = .allocate(capacity: layers.count * heads * blocks * Self.measures)
        sums.initialize(repeating: 0)
    }

    deinit { sums.deallocate() }

    package func wants(_ site: Site) -> Bool { site.kind == .pattern && layers.contains(site.layer) }

    package func receive(_ site: Site, _ block: PatternBlock) throws {
        // Larger blocks would still have a place each; two smaller ones would meet in one.
        precondition(block.firstQuery % Self.blockQueries == 0, "a block begins where its place does")
        let place = block.firstQuery / Self.blockQueries
        let index = ((site.layer - layers.lowerBound) * heads + block.head) * blocks + place
        let sums = sums.baseAddress! + index * Self.measures
        for row in 0..<block.queries {
            let query = block.firstQuery + row
            if query == 0 { continue }
            let p = block.values + row * block.keys
            var entropy = 0.0
            var distance = 0.0
            for key in 0...query where p[key] != 0 {
                let share = Double(p[key])
                entropy -= share * log(share)
                distance += share * Double(query - key)
            }
            guard entropy.isFinite else { throw ModelError.notFinite(site: site.fullName) }
            sums[Measure.sink.rawValue] += Double(p[0])
            sums[Measure.previous.rawValue] += Double(p[query - 1])
            sums[Measure.`self`.rawValue] += Double(p[query])
            if inductionKeys[query] >= 0 { sums[Measure.induction.rawValue] += Double(p[inductionKeys[query]]) }
            if duplicateKeys[query] >= 0 { sums[Measure.duplicate.rawValue] += Double(p[duplicateKeys[query]]) }
            sums[Measure.entropy.rawValue] += entropy
            sums[Measure.distance.rawValue] += distance
        }
    }

    /// Queries that a measure is a mean over.
    package func count(_ measure: Measure) -> Int { queries(measure).count }

    /// The mean of a head; nil if there is no query to take it at.
    package func mean(_ measure: Measure, layer: Int, head: Int) -> Double? {
        let count = count(measure)
        guard count > 0, layers.contains(layer), (0..<heads).contains(head) else { return nil }
        let first = ((layer - layers.lowerBound) * heads + head) * blocks
        var sum = 0.0
        for block in first..<first + blocks { sum += sums[block * Self.measures + measure.rawValue] }
        return sum / Double(count)
    }

    /// What uniform attention over the keys that a query sees would give in a layer.
    package func null(_ measure: Measure, layer: Int) -> Double? {
        let queries = queries(measure)
        guard !queries.isEmpty else { return nil }
        let window = windows[layer] ?? .max
        let sum = queries.reduce(0.0) { sum, query in
            let seen = min(query + 1, window)
            /// The share on a key, which is none if it has left the window.
            func share(_ key: Int) -> Double { query - key < seen ? 1 / Double(seen) : 0 }
            switch measure {
            case .entropy: return sum + log(Double(seen))
            case .distance: return sum + Double(seen - 1) / 2
            case .sink: return sum + share(0)
            case .previous: return sum + share(query - 1)
            case .`self`: return sum + share(query)
            case .induction: return sum + share(inductionKeys[query])
            case .duplicate: return sum + share(duplicateKeys[query])
            }
        }
        return sum / Double(queries.count)
    }

    /// The mean of the layers' nulls: they differ where some layers have a window that is shorter than the prompt.
    package func null(_ measure: Measure) -> Double? {
        let nulls = layers.compactMap { null(measure, layer: $0) }
        return nulls.isEmpty ? nil : nulls.reduce(0, +) / Double(nulls.count)
    }

    private func queries(_ measure: Measure) -> [Int] {
        let all = inductionKeys.indices.dropFirst()
        switch measure {
        case .induction: return all.filter { inductionKeys[$0] >= 0 }
        case .duplicate: return all.filter { duplicateKeys[$0] >= 0 }
        default: return Array(all)
        }
    }
}
