package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

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
    /// Cosines are singular values of the product of the bases; below 45 degrees, where a cosine says little, sines come
    /// from what the larger space leaves of the smaller (Björck and Golub 1973, Mathematics of Computation 27).
    ///
    /// - Throws: `GeometryError.widthsDiffer`; `LinearAlgebraError` from LAPACK.
    package func principalAngles(to other: TangentSpace) throws -> [Double] {
        guard width == other.width else { throw GeometryError.widthsDiffer(width, other.width) }
        let (large, small) = dimension >= other.dimension ? (self, other) : (other, self)
        var products = [Double](repeating: 0, count: small.dimension * large.dimension)
        var residual = small.directions
        for i in 0..<small.dimension {
            for j in 0..<large.dimension {
                var sum = 0.0
                for column in 0..<width {
                    sum += small.directions[i * width + column] * large.directions[j * width + column]
                }
                products[i * large.dimension + j] = sum
                for column in 0..<width {
                    residual[i * width + column] -= sum * large.directions[j * width + column]
                }
            }
        }
        let cosines = try SingularValues(of: products, rows: small.dimension, columns: large.dimension).values
        let sines = try SingularValues(of: residual, rows: small.dimension, columns: width).values
        return (0..<small.dimension).map { index in
            let cosine = min(1, cosines[index])
            return cosine * cosine >= 0.5 ? asin(min(1, sines[small.dimension - 1 - index])) : acos(cosine)
        }
    }
}
