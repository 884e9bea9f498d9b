#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from the ratio mu = r_n2 / r_n1 of more distant neighbours, by maximum likelihood: TwoNN at a larger scale,
/// less moved by noise (Denti, Doimo, Laio and Mira 2022, Scientific Reports 12, 20005).
package struct GRIDE: Sendable, Equatable {
    /// Ranks of the two neighbours.
    package let near: Int
    package let far: Int
    package let dimension: Double
    /// From the Fisher information at the estimate.
    package let standardError: Double
    /// Mean of r_n1 and r_n2 over all points: the scale that the estimate speaks of; nil if ratios were given.
    package let meanDistance: Double?
    /// Points, and those whose ratio lay so far out that two points all but coincide.
    package let count: Int
    package let leftOut: Int

    /// - Parameters:
    ///   - neighbours: k >= `far`, no two points alike.
    ///   - far: 2 · near unless given.
    /// - Throws: `GeometryError`.
    package static func estimate(_ neighbours: NearestNeighbours, near: Int, far: Int? = nil) throws -> GRIDE {
        let (far, overflows) = far.map { ($0, false) } ?? near.multipliedReportingOverflow(by: 2)
        try checkRanks(near: near, far: overflows ? 0 : far)
        let logRatios = try neighbours.logRatios(near: near, far: far)
        var sum = 0.0
        for point in 0..<neighbours.count {
            sum += neighbours.distance(point, rank: near) + neighbours.distance(point, rank: far)
        }
        return try estimate(logRatios, near: near, far: far, meanDistance: sum / Double(2 * neighbours.count))
    }

    /// - Parameter ratios: mu of each point, in any order.
    /// - Throws: `GeometryError`.
    package static func estimate(ratios: [Double], near: Int, far: Int) throws -> GRIDE {
        try checkRanks(near: near, far: far)
        return try estimate(try logarithms(ofRatios: ratios), near: near, far: far, meanDistance: nil)
    }

    /// Estimates at n1 = 1, 2, 4, … as far as `largest` and the table's k allow, n2 = 2 n1.
    package static func curve(_ neighbours: NearestNeighbours, largest: Int = 64) throws -> [GRIDE] {
        guard neighbours.k >= 2 else { throw GeometryError.tooFewNeighbours(found: neighbours.k, needed: 2) }
        var result: [GRIDE] = []
        var near = 1
        while near <= largest, near <= neighbours.k / 2 {
            result.append(try estimate(neighbours, near: near))
            near *= 2
        }
        return result
    }

    private static func checkRanks(near: Int, far: Int) throws {
        guard near >= 1, far > near else {
            throw GeometryError.outOfRange(
                option: "neighbour ranks", value: "\(near) and \(far)", allowed: "1 or more, and a larger one")
        }
    }

    private static func estimate(
        _ logRatios: [Double], near: Int, far: Int, meanDistance: Double?
    ) throws -> GRIDE {
        let n = logRatios.count
        guard n >= 3 else { throw GeometryError.tooFewPoints(found: n, needed: 3) }
        // Equal distances are ties of rounding: the smallest ratio above 1 stands for them, as in DADApy.
        let logs = logRatios.map { max($0, 10 * Double.ulpOfOne) }
        let kept = withoutOutliers(logs)
        guard kept.count >= 2 else { throw GeometryError.equalDistances(near: near, far: far) }
        let likelihood = Likelihood(logRatios: kept, near: near, far: far)
        guard let dimension = likelihood.maximum() else { throw GeometryError.equalDistances(near: near, far: far) }
        return GRIDE(
            near: near, far: far, dimension: dimension,
            standardError: 1 / information(logs, dimension: dimension, near: near, far: far).squareRoot(),
            meanDistance: meanDistance, count: n, leftOut: n - kept.count)
    }

    /// Drops mu beyond median + 20 (95 % quantile - median), as DADApy does.
    private static func withoutOutliers(_ logs: [Double]) -> [Double] {
        let sorted = logs.sorted()
        func quantile(_ share: Double) -> Double {
            let place = share * Double(sorted.count - 1)
            let below = min(Int(place), sorted.count - 1)
            let above = min(below + 1, sorted.count - 1)
            let (low, high) = (exp(sorted[below]), exp(sorted[above]))
            return low + (high - low) * (place - Double(below))
        }
        let median = quantile(0.5)
        let limit = median + 20 * (quantile(0.95) - median)
        guard limit.isFinite else { return logs }
        return logs.filter { exp($0) < limit }
    }

    /// Fisher information: N/d² + Σ (n2 - n1 - 1) (ln mu / (1 - mu^-d))² mu^-d.
    private static func information(_ logs: [Double], dimension d: Double, near: Int, far: Int) -> Double {
        let order = Double(far - near - 1)
        var sum = 0.0
        if order > 0 {
            for x in logs {
                let factor = x / max(-expm1(-d * x), 5 * Double.ulpOfOne)
                sum += factor * factor * exp(-d * x)
            }
        }
        return Double(logs.count) / (d * d) + order * sum
    }

    /// The log likelihood's derivative, with its sign turned: it rises through 0 at the maximum.
    private struct Likelihood {
        let logRatios: [Double]
        let near: Int
        let far: Int

        /// g(d) = Σ ((1 - n2 + n1) / (1 - mu^-d) + n2 - 1) ln mu - (N - 1)/d, and its derivative.
        func slope(at d: Double) -> (value: Double, derivative: Double) {
            let order = Double(far - near - 1)
            let last = Double(far - 1)
            var (value, derivative) = (0.0, 0.0)
            for x in logRatios {
                let e = exp(-d * x)
                let rest = -expm1(-d * x)
                if rest < 2e-7 {
                    value += (last - order / 2e-7) * x
                } else {
                    value += (last - order / rest) * x
                    derivative += order * x * x * e / (rest * rest)
                }
            }
            let count = Double(logRatios.count - 1)
            return (value - count / d, derivative + count / (d * d))
        }

        /// Newton's method within a bracket, from the estimate that matches the mean of ln mu.
        func maximum() -> Double? {
            let sum = logRatios.reduce(0, +)
            let count = Double(logRatios.count)
            if far - near == 1 { return resolved((count - 1) / (Double(far - 1) * sum)) }
            var expected = 0.0
            for rank in near..<far { expected += 1 / Double(rank) }
            guard var d = resolved(expected * count / sum) else { return nil }
            var (low, high) = (0.0, Double.infinity)
            for _ in 0..<200 {
                let (value, derivative) = slope(at: d)
                if value < 0 { low = d } else { high = d }
                var next = d - value / derivative
                if !(next > low && next < high) { next = high.isFinite ? (low + high) / 2 : 2 * d }
                if abs(next - d) <= 1e-13 * d { return resolved(next) }
                d = next
            }
            return resolved(d)
        }

        private func resolved(_ d: Double) -> Double? { d > 0 && d < largestResolvedDimension ? d : nil }
    }
}
