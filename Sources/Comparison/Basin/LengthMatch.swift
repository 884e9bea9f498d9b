import LinearAlgebra
import Statistics

/// Pairs of prompts of two sets with the same number of tokens, so that length no longer distinguishes the sets.
package struct LengthMatch {
    /// The places of the two prompts of each pair in their sets; each place stands in one pair at most.
    package let pairs: [(first: Int, second: Int)]
    /// The mean number of tokens of the paired prompts.
    package let meanLengths: (first: Double, second: Double)

    /// The factor by which intervals are widened: more than 1 with fewer pairs than a comparison should have.
    package var widening: Double {
        max(1, (Double(BasinRun.defaultLeast) / Double(max(1, pairs.count))).squareRoot())
    }

    /// Makes the largest possible number of pairs; prompts of one length are drawn with a seed.
    ///
    /// - Parameters:
    ///   - first: the number of tokens of each prompt of one set.
    ///   - second: the same of the other set.
    ///   - slack: the number of tokens by which the lengths of a pair may differ.
    package init(_ first: [Int], _ second: [Int], slack: Int, seed: UInt64) {
        func order(_ lengths: [Int], _ stream: Int) -> [Int] {
            let keys = lengths.indices.map { place -> UInt64 in
                var random = SeededRandom(seed: seed, .lengthMatch, stream, place)
                return random.next()
            }
            return lengths.indices.sorted { (lengths[$0], keys[$0], $0) < (lengths[$1], keys[$1], $1) }
        }
        let (a, b) = (order(first, 0), order(second, 1))
        var pairs: [(first: Int, second: Int)] = []
        var (i, j) = (0, 0)
        // Prompts are taken shortest first, each with the shortest that is left within the slack; no other way gives
        // more pairs.
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

    /// Returns at most `most` of the pairs, drawn with a seed.
    ///
    /// - Parameters:
    ///   - first: the number of tokens of each prompt of one set.
    ///   - second: the same of the other set.
    package func sample(_ most: Int, _ first: [Int], _ second: [Int], seed: UInt64) -> LengthMatch {
        var random = SeededRandom(seed: seed, .lengthMatch, 2)
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
