#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from the distances T_1...T_k to each point's nearest neighbours: 1/m = Σ_j ln(T_k / T_j) / (k - 1)
/// (Levina and Bickel 2004, NIPS 17).
package enum MaximumLikelihood {
    /// How the points' estimates become one.
    package enum Combination: Sendable {
        /// The harmonic mean, which is the likelihood's maximum for one common dimension (MacKay and Ghahramani 2005).
        case harmonicMean
        case mean
    }

    /// - Parameters:
    ///   - neighbours: no two points alike.
    ///   - k: neighbours to use, 2 or more and at most the table's.
    /// - Throws: `GeometryError`.
    package static func estimate(
        _ neighbours: NearestNeighbours, k: Int = 20, combining: Combination = .harmonicMean
    ) throws -> Double {
        switch combining {
        case .harmonicMean:
            let inverses = try inverses(neighbours, k: k)
            let dimension = Double(inverses.count) / inverses.reduce(0, +)
            guard dimension < largestResolvedDimension else { throw GeometryError.equalDistances(near: 1, far: k) }
            return dimension
        case .mean:
            let dimensions = try perPoint(neighbours, k: k)
            return dimensions.reduce(0, +) / Double(dimensions.count)
        }
    }

    /// The estimate of each point's own neighbourhood. [count]
    ///
    /// - Throws: `GeometryError`, also when the neighbours of one point are all at one distance from it.
    package static func perPoint(_ neighbours: NearestNeighbours, k: Int = 20) throws -> [Double] {
        try inverses(neighbours, k: k).map { inverse in
            guard inverse > 1 / largestResolvedDimension else {
                throw GeometryError.equalDistances(near: 1, far: k)
            }
            return 1 / inverse
        }
    }

    private static func inverses(_ neighbours: NearestNeighbours, k: Int) throws -> [Double] {
        guard k >= 2 else { throw GeometryError.outOfRange(option: "k", value: "\(k)", allowed: "2 or more") }
        guard neighbours.k >= k else { throw GeometryError.tooFewNeighbours(found: neighbours.k, needed: k) }
        guard neighbours.count >= 1 else { throw GeometryError.tooFewPoints(found: 0, needed: 1) }
        return try neighbours.distances.withUnsafeBufferPointer { distances in
            try (0..<neighbours.count).map { point in
                let row = point * neighbours.k
                let last = distances[row + k - 1]
                guard last.isFinite else { throw GeometryError.badDistance(row: point, rank: k) }
                guard last > 0 else { throw GeometryError.coincidentPoints(row: point) }
                var sum = 0.0
                for rank in 1..<k {
                    let distance = distances[row + rank - 1]
                    guard distance != 0 else { throw GeometryError.coincidentPoints(row: point) }
                    guard distance > 0, distance <= last else {
                        throw GeometryError.badDistance(row: point, rank: rank)
                    }
                    let ratio = last / distance
                    sum += ratio.isFinite ? log(ratio) : log(last) - log(distance)
                }
                return sum / Double(k - 1)
            }
        }
    }
}
