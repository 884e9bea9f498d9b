package import LinearAlgebra

/// The directions in which a patch's points spread most: an estimate of the tangent space at its centre.
package struct TangentSpace: Sendable, Equatable {
    package let dimension: Int
    /// Coordinates of the points.
    package let width: Int
    /// [dimension, width]: orthonormal rows, the direction of most variance first.
    package let directions: [Double]
    /// Variance along each direction, with divisor k - 1. [dimension]
    package let variances: [Double]

    /// - Parameters:
    ///   - points: [N, D].
    ///   - members: rows of the patch, k of them.
    ///   - dimension: directions to keep, at most the patch's rank.
    /// - Throws: `GeometryError`; `LinearAlgebraError` from LAPACK.
    package init(_ points: Matrix, members: some Collection<Int>, dimension: Int) throws {
        let (k, d) = (members.count, points.columns)
        guard k >= 2 else { throw GeometryError.tooFewPoints(found: k, needed: 2) }
        var rows: [Double] = []
        rows.reserveCapacity(k * d)
        for row in members {
            for column in 0..<d {
                let value = Double(points[row, column])
                guard value.isFinite else { throw GeometryError.notFinite(row: row, column: column) }
                rows.append(value)
            }
        }
        for column in 0..<d {
            var sum = 0.0
            for row in 0..<k { sum += rows[row * d + column] }
            let mean = sum / Double(k)
            for row in 0..<k { rows[row * d + column] -= mean }
        }
        let decomposition = try SingularValues(of: rows, rows: k, columns: d, vectors: true)
        guard let largest = decomposition.values.first, largest > 0 else { throw GeometryError.noVariance }
        // numpy's rule for the rank.
        let least = largest * Double(max(k, d)) * Double.ulpOfOne
        let rank = decomposition.values.count { $0 > least }
        guard dimension >= 1, dimension <= rank else {
            throw GeometryError.outOfRange(
                option: "dimension", value: "\(dimension)", allowed: "1...\(rank), the rank of the patch")
        }
        self.dimension = dimension
        width = d
        directions = Array(decomposition.rightVectors[0..<dimension * d])
        variances = decomposition.values[0..<dimension].map { $0 * $0 / Double(k - 1) }
    }

    /// Principal angles to another space in radians, smallest first; as many as the smaller space has directions.
    ///
    /// - Throws: `GeometryError.widthsDiffer`; `LinearAlgebraError` from LAPACK.
    package func principalAngles(to other: TangentSpace) throws -> [Double] {
        guard width == other.width else { throw GeometryError.widthsDiffer(width, other.width) }
        return try PrincipalAngles(between: directions, and: other.directions, width: width).radians
    }
}
