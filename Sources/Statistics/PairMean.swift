#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A mean over pairs of things that belong to groups. Its interval accounts for the dependence of pairs that have a
/// group in common (Aronow, Samii and Assenova 2015, Political Analysis 23: cluster-robust variance of dyadic data).
package struct PairMean: Sendable, Equatable {
    package let mean: Double
    /// Half the width of the mean's 95 % interval (Student's t for the number of groups); nil for fewer than
    /// `leastGroups`.
    package let halfWidth: Double?
    /// The number of pairs over which the mean is taken.
    package let pairs: Int
    /// The number of groups to which the members of the pairs belong.
    package let groups: Int

    /// The fewest groups with which the mean over pairs gets an interval; fewer say nothing about how groups differ.
    package static let leastGroups = 4

    /// - Parameter values: the pairs' values, at least one, each with the groups of the pair's two members.
    package init(_ values: [(value: Double, one: Int, other: Int)]) {
        precondition(!values.isEmpty, "a mean of nothing")
        let count = Double(values.count)
        let mean = values.reduce(0) { $0 + $1.value } / count
        var byGroup: [Int: Double] = [:]
        var byPair: [SIMD2<Int>: Double] = [:]
        var own = 0.0
        for (value, one, other) in values {
            let residual = value - mean
            own += residual * residual
            byGroup[one, default: 0] += residual
            if one != other {
                byGroup[other, default: 0] += residual
                byPair[SIMD2(min(one, other), max(one, other)), default: 0] += residual
            }
        }
        // Pairs with both groups in common are in the sums of either group, which is once too often.
        let squares =
            byGroup.values.sorted().reduce(0) { $0 + $1 * $1 } - byPair.values.sorted().reduce(0) { $0 + $1 * $1 }
        self.mean = mean
        pairs = values.count
        groups = byGroup.count
        let m = Double(groups)
        guard groups >= Self.leastGroups else {
            halfWidth = nil
            return
        }
        // The variance is never less than if all pairs were independent; by chance the difference can fall below that.
        let variance = max(squares, own) * m / (m - 1) / (count * count)
        halfWidth = Self.student95(m - 1) * variance.squareRoot()
    }

    package var low: Double? { halfWidth.map { mean - $0 } }
    package var high: Double? { halfWidth.map { mean + $0 } }

    /// Returns the 97.5th percentile of Student's t distribution with these degrees of freedom (Abramowitz and Stegun
    /// 26.7.5).
    static func student95(_ freedom: Double) -> Double {
        let z = Proportion.z95
        let terms: [Double] = [
            (pow(z, 3) + z) / 4, (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96,
            (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384,
        ]
        return z + terms[0] / freedom + terms[1] / (freedom * freedom) + terms[2] / pow(freedom, 3)
    }
}
