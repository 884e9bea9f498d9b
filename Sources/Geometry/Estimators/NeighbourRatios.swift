#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

extension NearestNeighbours {
    /// ln(r_far / r_near) of each point, ranks counted from 1. [count]
    ///
    /// - Throws: `GeometryError` when the table is too narrow, a point coincides with its neighbour `near`, or a
    ///   distance is not a number.
    func logRatios(near: Int, far: Int) throws -> [Double] {
        guard k >= far else { throw GeometryError.tooFewNeighbours(found: k, needed: far) }
        return try distances.withUnsafeBufferPointer { distances in
            var result = [Double](repeating: 0, count: count)
            for point in 0..<count {
                let (r1, r2) = (distances[point * k + near - 1], distances[point * k + far - 1])
                guard r1 >= 0, r1.isFinite else { throw GeometryError.badDistance(row: point, rank: near) }
                guard r1 > 0 else { throw GeometryError.coincidentPoints(row: point) }
                guard r2 >= r1, r2.isFinite else { throw GeometryError.badDistance(row: point, rank: far) }
                // The difference of logarithms does not overflow, and the quotient is the more exact near 1.
                let ratio = r2 / r1
                result[point] = ratio.isFinite ? log(ratio) : log(r2) - log(r1)
            }
            return result
        }
    }
}

/// Logarithms of ratios that a caller supplies.
func logarithms(ofRatios ratios: [Double]) throws -> [Double] {
    if let bad = ratios.firstIndex(where: { !($0 >= 1 && $0.isFinite) }) { throw GeometryError.badRatio(index: bad) }
    return ratios.map { log($0) }
}

/// The largest dimension that a ratio of distances is trusted to show: beyond it the distances agree to 1 in 10^6, and
/// what is left is their rounding.
let largestResolvedDimension = 1e6
