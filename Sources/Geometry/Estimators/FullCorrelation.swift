package import Control
package import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from the cosines between points seen from their mean: on a sphere in m dimensions (1 + cos)/2 follows
/// Beta((m-1)/2, (m-1)/2), whatever the density of pairs by distance (FCI: Erba, Gherardi and Rotondo 2019, Scientific
/// Reports 9, 17133). It reads all pairs, so it speaks of the whole set and needs few points; curvature inflates it.
package struct FullCorrelation: Sendable, Equatable {
    /// m that maximises the likelihood.
    package let dimension: Double
    /// 1 / mean(cos²): the m of the same variance.
    package let moment: Double
    /// Pairs whose cosine was used.
    package let pairs: Int
    /// Points that coincide with the mean, which have no direction.
    package let pointsLeftOut: Int

    /// - Parameters:
    ///   - points: [N, D], N >= 3.
    ///   - allPairsUpTo: points of which all pairs are taken; above, the points are shuffled into groups of 256 or a
    ///     little fewer, and pairs are those within a group: each point then counts equally.
    ///   - seed: of the shuffle.
    /// - Throws: `GeometryError` for too few points, NaN, and points that are all the same; `CancellationError`.
    package init(
        _ points: Matrix, allPairsUpTo limit: Int = 2048, seed: UInt64 = 0, control: RunControl? = nil
    ) throws {
        guard points.rows >= 3 else { throw GeometryError.tooFewPoints(found: points.rows, needed: 3) }
        let mean = try Self.mean(points)
        var order = Array(0..<points.rows)
        var groups = 1
        if points.rows > max(limit, 3) {
            var random = SeededRandom(seed: seed)
            order.shuffle(using: &random)
            groups = (points.rows + 255) / 256
        }
        var sums = Sums()
        for group in 0..<groups {
            try control?.checkCancellation()
            let range = group * points.rows / groups..<(group + 1) * points.rows / groups
            sums.add(points, rows: order[range], mean: mean)
        }
        guard sums.directions > 0 else { throw GeometryError.noVariance }
        guard sums.pairs > 0 else { throw GeometryError.tooFewPoints(found: sums.directions, needed: 3) }
        let meanSquare = sums.squares / Double(sums.pairs)
        guard meanSquare > 0 else { throw GeometryError.unresolved(estimator: "FCI", points: points.rows) }
        moment = 1 / meanSquare
        pairs = sums.pairs
        pointsLeftOut = points.rows - sums.directions
        // Points on a line: every pair is parallel, and m -> 1.
        dimension = sums.oblique == 0 ? 1 : try Self.dimension(excess: -sums.logs / Double(sums.oblique), sums: sums)
    }

    private static func mean(_ points: Matrix) throws -> [Double] {
        let d = points.columns
        var mean = [Double](repeating: 0, count: d)
        points.values.withUnsafeBufferPointer { values in
            mean.withUnsafeMutableBufferPointer { mean in
                for row in 0..<points.rows {
                    for column in 0..<d { mean[column] += Double(values[row * d + column]) }
                }
            }
        }
        // A sum of floats overflows no double, so only a value that is not finite itself leaves its trace here.
        if mean.contains(where: { !$0.isFinite }), let bad = points.values.firstIndex(where: { !$0.isFinite }) {
            throw GeometryError.notFinite(row: bad / d, column: bad % d)
        }
        return mean.map { $0 / Double(points.rows) }
    }

    private struct Sums {
        var directions = 0
        var pairs = 0
        /// Σ cos² over pairs.
        var squares = 0.0
        /// Σ ln(1 - cos²) over pairs that are not parallel, and their number.
        var logs = 0.0
        var oblique = 0

        mutating func add(_ points: Matrix, rows: ArraySlice<Int>, mean: [Double]) {
            let d = points.columns
            var units = [Double](repeating: 0, count: rows.count * d)
            var count = 0
            points.values.withUnsafeBufferPointer { values in
                mean.withUnsafeBufferPointer { mean in
                    units.withUnsafeMutableBufferPointer { units in
                        for row in rows {
                            var square = 0.0
                            for column in 0..<d {
                                let value = Double(values[row * d + column]) - mean[column]
                                units[count * d + column] = value
                                square += value * value
                            }
                            guard square > 0 else { continue }
                            let scale = 1 / square.squareRoot()
                            for column in 0..<d { units[count * d + column] *= scale }
                            count += 1
                        }
                    }
                }
            }
            directions += count
            guard count > 1 else { return }
            units.removeLast(units.count - count * d)
            let cosines = Gram.rows(units, rows: count, columns: d)
            cosines.withUnsafeBufferPointer { cosines in
                for i in 1..<count {
                    // One logarithm for a few factors; eight of at least 1e-16 do not underflow.
                    var product = 1.0
                    for j in 0..<i {
                        let square = cosines[i * count + j] * cosines[i * count + j]
                        squares += square
                        let rest = 1 - square
                        if rest > 0 {
                            product *= rest
                            oblique += 1
                        }
                        if j & 7 == 7 {
                            logs += log(product)
                            product = 1
                        }
                    }
                    logs += log(product)
                }
            }
            pairs += count * (count - 1) / 2
        }
    }

    /// Solves 2ψ(2a) - 2ψ(a) - 2 ln 2 = -mean ln(1 - cos²) for a; m = 2a + 1.
    private static func dimension(excess: Double, sums: Sums) throws -> Double {
        guard excess > 0 else { throw GeometryError.unresolved(estimator: "FCI", points: sums.directions) }
        // The left side falls from infinity (a -> 0) to 0, as 1/(2a).
        var (low, high) = (-60.0, 30.0)
        while high - low > 1e-15 * max(1, abs(low)) {
            let middle = (low + high) / 2
            if middle == low || middle == high { break }
            if Self.excess(exp(middle)) > excess { low = middle } else { high = middle }
        }
        let dimension = 2 * exp((low + high) / 2) + 1
        guard dimension < largestResolvedDimension else {
            throw GeometryError.unresolved(estimator: "FCI", points: sums.directions)
        }
        return dimension
    }

    /// 2ψ(2a) - 2ψ(a) - 2 ln 2, without cancellation: each step a -> a + 1 takes 1/a - 2/(2a+1) from it, and from
    /// a = 10 on the asymptotic series ψ(x) = ln x - 1/(2x) - Σ B_2k / (2k x^2k) gives it to 1e-16.
    static func excess(_ a: Double) -> Double {
        var x = a
        var sum = 0.0
        while x < 10 {
            sum += 1 / (x * (2 * x + 1))
            x += 1
        }
        let inverse = 1 / (x * x)
        // B_2k/(2k) (1 - 4^-k), k = 1...7.
        let series =
            inverse
            * (1.0 / 16
                + inverse
                * (-1.0 / 128
                    + inverse
                    * (1.0 / 256
                        + inverse
                        * (-17.0 / 4096
                            + inverse * (31.0 / 4096 + inverse * (-691.0 / 32760 * 4095 / 4096 + inverse / 12))))))
        return sum + 2 * (1 / (4 * x) + series)
    }
}
