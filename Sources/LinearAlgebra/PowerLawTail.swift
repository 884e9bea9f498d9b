#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The power law p(x) ~ x^-alpha that fits the largest of some values best: Clauset, Shalizi and Newman 2009, "Power-law
/// distributions in empirical data".
///
/// For each value as the beginning x_min of the tail, alpha = 1 + n / sum ln(x / x_min) (eq. 3.1, maximum likelihood);
/// the x_min with the smallest Kolmogorov-Smirnov distance between the tail and its fit is taken (section 3.3). Nothing
/// says that there is a power law: a tail is fitted to whatever is given.
package struct PowerLawTail: Sendable, Equatable {
    package let alpha: Double
    /// (alpha - 1) / sqrt(n), eq. 3.2, for a known x_min.
    package let standardError: Double
    package let threshold: Double
    /// Values in the tail.
    package let count: Int
    /// The Kolmogorov-Smirnov distance.
    package let distance: Double

    /// - Parameters:
    ///   - values: in any order; those not above 0 are left out.
    ///   - least: the fewest values that a tail may have.
    /// - Returns: nil if there are too few values, or all of them are the same.
    package init?(_ values: [Double], least: Int = 10) {
        let logs = values.filter { $0 > 0 && $0.isFinite }.map { log($0) }.sorted(by: >)
        var best: (distance: Double, count: Int, alpha: Double)?
        var sum = 0.0
        for count in 1...max(logs.count, 1) where count <= logs.count {
            let start = logs[count - 1]
            sum += start
            // A value that stands several times begins one tail only, with all of them.
            guard count >= max(least, 2), count == logs.count || logs[count] < start else { continue }
            let excess = sum - Double(count) * start
            guard excess > 1e-12 * Double(count) else { continue }
            let slope = Double(count) / excess
            let distance = Self.distance(logs[..<count], slope, start, below: best?.distance ?? .infinity)
            if let distance { best = (distance, count, 1 + slope) }
        }
        guard let best else { return nil }
        alpha = best.alpha
        standardError = (best.alpha - 1) / Double(best.count).squareRoot()
        threshold = exp(logs[best.count - 1])
        count = best.count
        distance = best.distance
    }

    /// The largest difference between the shares of the tail and of its fit; nil if it is not below `limit`.
    private static func distance(_ tail: ArraySlice<Double>, _ slope: Double, _ start: Double, below limit: Double)
        -> Double?
    {
        let count = Double(tail.count)
        var largest = 0.0
        for (rank, value) in tail.enumerated() {
            // P(X > value) of the fit, against the shares above and up from it.
            let above = exp(-slope * (value - start))
            largest = max(largest, abs(above - Double(rank) / count), abs(above - Double(rank + 1) / count))
            if largest >= limit { return nil }
        }
        return largest
    }
}
