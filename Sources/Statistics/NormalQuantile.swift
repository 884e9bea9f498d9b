#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Quantiles of the standard normal distribution, by which the width of intervals is set.
package enum NormalQuantile {
    /// Returns z with P(|Z| > z) = `share` for a standard normal Z, by bisection of erfc(z/√2).
    ///
    /// - Parameter share: the probability of both tails together, above 0, at most 1.
    package static func twoSided(_ share: Double) -> Double {
        precondition(share > 0 && share <= 1, "a share of \(share)")
        var (low, high) = (0.0, 40.0)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if erfc(middle / 2.0.squareRoot()) > share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// Returns the z, in standard errors, by which `count` intervals hold together in 95 % (Bonferroni: 1 - 0.05/count
    /// each).
    package static func simultaneous(_ count: Int) -> Double { twoSided(0.05 / Double(max(1, count))) }
}
