#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from the ratio mu = r2 / r1 of each point's two nearest neighbours, which in d dimensions of locally even
/// density has the distribution 1 - mu^-d (Facco, d'Errico, Rodriguez and Laio 2017, Scientific Reports 7, 12140).
package struct TwoNN: Sendable, Equatable {
    /// Slope through the origin of -ln(1 - i/N) on ln mu(i), i = 1...K, mu ascending and the largest left out.
    package let slope: Double
    /// (N - 1) / Σ ln mu over all points, unbiased (Denti, Doimo, Laio and Mira 2022, Scientific Reports 12, 20005).
    package let maximumLikelihood: Double
    /// Points.
    package let count: Int
    /// Ratios that the slope was fitted to.
    package let kept: Int

    /// - Parameters:
    ///   - neighbours: k >= 2, no two points alike.
    ///   - discardedShare: share of the largest ratios that the slope leaves out, within 0..<1; at least one is.
    /// - Throws: `GeometryError`.
    package static func estimate(_ neighbours: NearestNeighbours, discardedShare: Double = 0.1) throws -> TwoNN {
        try estimate(logRatios: try neighbours.logRatios(near: 1, far: 2), discardedShare: discardedShare)
    }

    /// - Parameter ratios: mu of each point, in any order.
    /// - Throws: `GeometryError`.
    package static func estimate(ratios: [Double], discardedShare: Double = 0.1) throws -> TwoNN {
        try estimate(logRatios: try logarithms(ofRatios: ratios), discardedShare: discardedShare)
    }

    private static func estimate(logRatios: [Double], discardedShare: Double) throws -> TwoNN {
        guard discardedShare >= 0, discardedShare < 1 else {
            throw GeometryError.outOfRange(
                option: "discarded share", value: "\(discardedShare)", allowed: "0 or more and less than 1")
        }
        let n = logRatios.count
        // -ln(1 - N/N) is infinite, so the largest is left out at any share.
        let kept = min(n - 1, Int(Double(n) * (1 - discardedShare)))
        guard kept >= 2 else {
            throw GeometryError.tooFewPoints(found: n, needed: max(3, Int((2 / (1 - discardedShare)).rounded(.up))))
        }
        let sorted = logRatios.sorted()
        var (xy, xx, sum) = (0.0, 0.0, 0.0)
        for index in 0..<n {
            let x = sorted[index]
            sum += x
            guard index < kept else { continue }
            xy -= x * log1p(-Double(index + 1) / Double(n))
            xx += x * x
        }
        let slope = xy / xx
        let likelihood = Double(n - 1) / sum
        guard slope < largestResolvedDimension, likelihood < largestResolvedDimension else {
            throw GeometryError.equalDistances(near: 1, far: 2)
        }
        return TwoNN(slope: slope, maximumLikelihood: likelihood, count: n, kept: kept)
    }
}
