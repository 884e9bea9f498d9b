import LinearAlgebra
import Statistics

/// Pairs of prompts of two sets with the same number of tokens, so that length no longer distinguishes the sets.
package struct LengthMatch {
    /// The indices of the two prompts of each pair in their sets; each prompt stands in one pair at most.
    package let pairs: [(first: Int, second: Int)]
    /// The mean number of tokens of the paired prompts, for the first and the second set.
    package let meanLengths: (first: Double, second: Double)

    /// The factor by which confidence intervals are widened: √(300 / pairs) with fewer than 300 pairs, else 1.
    package var widening: Double {
        max(1, (Double(BasinRun.defaultLeast) / Double(max(1, pairs.count))).squareRoot())
    }

    /// Pairs as many prompts of two sets as possible by their lengths; among prompts of one length, a seed decides.
    ///
    /// - Parameters:
    ///   - first: the number of tokens of each prompt of one set.
    ///   - second: the number of tokens of each prompt of the other set.
    ///   - slack: the number of tokens by which the lengths of two paired prompts may differ.
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

    /// Returns at most `most` of the pairs of prompts, drawn with a seed.
    ///
    /// - Parameters:
    ///   - first: the number of tokens of each prompt of one set.
    ///   - second: the number of tokens of each prompt of the other set.
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
