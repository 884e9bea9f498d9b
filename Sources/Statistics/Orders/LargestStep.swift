#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The step of a sequence that holds the largest share of all its change, up and down, with the probability of so large
/// a share if change falls on the steps by chance.
///
/// The share of step i is g_i = |change_i| / Σ |change|. The null is a stick broken at random into m pieces, one a
/// step: P(max > g) = Σ over j >= 1 with jg < 1 of (-1)^(j+1) C(m, j) (1 - jg)^(m-1) (Fisher 1929, Proc. R. Soc. A 125,
/// 54-59).
package struct LargestStep: Sendable, Equatable {
    /// The index, from 0, of the step with the largest share of the sequence's change.
    package let index: Int
    /// The share, 0 to 1, of the sequence's change (up and down) that the largest step holds.
    package let share: Double
    /// The mean of the largest share if change falls on the m steps by chance, (1 + 1/2 + ... + 1/m) / m.
    package let expected: Double
    /// The probability that the largest share is greater than the observed one if change falls on the steps by chance.
    package let p: Double
    /// The share of the sequence's change that each step holds, in order.
    package let shares: [Double]

    /// - Returns: nil for fewer than two steps (changes), for a change that is not finite, and if nothing changes.
    package init?(changes: [Double]) {
        let sizes = changes.map { abs($0) }
        let total = sizes.reduce(0, +)
        guard sizes.count >= 2, total > 0, total.isFinite else { return nil }
        shares = sizes.map { $0 / total }
        let m = sizes.count
        let largest = (1..<m).reduce(0) { sizes[$1] > sizes[$0] ? $1 : $0 }
        (index, share) = (largest, sizes[largest] / total)
        expected = (1...m).reduce(0) { $0 + 1 / Double($1) } / Double(m)
        p = Self.probability(share, steps: m)
    }

    /// Returns the probability that the largest of `m` shares is above `share` if change falls on the m steps by
    /// chance.
    static func probability(_ share: Double, steps m: Int) -> Double {
        // There are too many pieces for so small a share to be the largest, so p is 1; the terms of the sum would
        // cancel and leave nothing but rounding.
        guard Double(m) * pow(1 - share, Double(m - 1)) < 25 else { return 1 }
        var (sum, binomial) = (0.0, 1.0)
        for j in 1...m {
            binomial *= Double(m - j + 1) / Double(j)
            let rest = 1 - Double(j) * share
            guard rest > 0 else { break }
            sum += (j % 2 == 1 ? 1 : -1) * binomial * pow(rest, Double(m - 1))
        }
        return min(1, max(0, sum))
    }
}
