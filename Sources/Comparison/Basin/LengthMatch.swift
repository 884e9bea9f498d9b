import LinearAlgebra
import Statistics

/// Pairs of prompts of two sets that have as many tokens, so that length tells the sets apart no more.
package struct LengthMatch {
    /// Places in either set; each place stands in one pair at most.
    package let pairs: [(first: Int, second: Int)]
    /// Mean number of tokens of the prompts that were paired.
    package let meanLengths: (first: Double, second: Double)

    /// What intervals are multiplied by: more than 1 with fewer pairs than a comparison should have.
    package var widening: Double {
        max(1, (Double(BasinRun.defaultLeast) / Double(max(1, pairs.count))).squareRoot())
    }

    /// As many pairs as there are, prompts of one length drawn with a seed.
    ///
    /// - Parameters:
    ///   - first: numbers of tokens of one set's prompts.
    ///   - second: of the other's.
    ///   - slack: tokens that the lengths of a pair may differ by.
    package init(_ first: [Int], _ second: [Int], slack: Int, seed: UInt64) {
        func order(_ lengths: [Int], _ stream: Int) -> [Int] {
            let keys = lengths.indices.map { place -> UInt64 in
                var random = SeededRandom(seed: seed, stream: 0x6c65, stream, place)
                return random.next()
            }
            return lengths.indices.sorted { (lengths[$0], keys[$0], $0) < (lengths[$1], keys[$1], $1) }
        }
        let (a, b) = (order(first, 0), order(second, 1))
        var pairs: [(first: Int, second: Int)] = []
        var (i, j) = (0, 0)
        // Shortest first, each with the shortest that is left within the slack: no other way gives more pairs.
        while i < a.count, j < b.count {
            let difference = first[a[i]] - second[b[j]]
            if abs(difference) <= slack {
                pairs.append((a[i], b[j]))
                i += 1
                j += 1
            } else if difference < 0 {
                i += 1
            } else {
                j += 1
            }
        }
        self.init(pairs, first, second)
    }

    /// So many of the pairs, drawn with a seed.
    package func sample(_ most: Int, _ first: [Int], _ second: [Int], seed: UInt64) -> LengthMatch {
        var random = SeededRandom(seed: seed, stream: 0x6c65, 2)
        return LengthMatch(random.sample(most, of: pairs.count).map { pairs[$0] }, first, second)
    }

    private init(_ pairs: [(first: Int, second: Int)], _ first: [Int], _ second: [Int]) {
        self.pairs = pairs
        let count = Double(max(1, pairs.count))
        meanLengths = (
            Double(pairs.reduce(0) { $0 + first[$1.first] }) / count,
            Double(pairs.reduce(0) { $0 + second[$1.second] }) / count
        )
    }
}
