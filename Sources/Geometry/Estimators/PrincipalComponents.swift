package import LinearAlgebra

/// Principal components of a point set: eigenvectors of its covariance, in float64.
package struct PrincipalComponents: Sendable {
    /// Points, and their number of coordinates.
    package let count: Int
    package let width: Int
    /// [width]
    package let mean: [Double]
    /// All variances (eigenvalues of the covariance with divisor N - 1), largest first; min(N - 1, D) of them can
    /// differ from 0.
    package let variances: [Double]
    /// [components, width]: unit vectors, the largest entry of each positive.
    package let components: [[Double]]

    /// - Parameters:
    ///   - points: [N, D], N >= 2.
    ///   - wanted: components to keep.
    /// - Throws: `GeometryError` for fewer than two points or for NaN and Inf; `LinearAlgebraError` from LAPACK.
    package init(of points: Matrix, components wanted: Int) throws {
        guard points.rows >= 2 else { throw GeometryError.tooFewPoints(found: points.rows, needed: 2) }
        if let bad = points.values.firstIndex(where: { !$0.isFinite }) {
            throw GeometryError.notFinite(row: bad / points.columns, column: bad % points.columns)
        }
        let (n, d) = (points.rows, points.columns)
        var mean = [Double](repeating: 0, count: d)
        for row in 0..<n {
            for column in 0..<d { mean[column] += Double(points.values[row * d + column]) }
        }
        for column in 0..<d { mean[column] /= Double(n) }
        var centred = [Double](repeating: 0, count: n * d)
        for row in 0..<n {
            for column in 0..<d {
                centred[row * d + column] = Double(points.values[row * d + column]) - mean[column]
            }
        }
        // The smaller of X'X and XX' has the same eigenvalues other than 0.
        let usesRows = n < d
        let size = min(n, d)
        let gram = usesRows ? Gram.rows(centred, rows: n, columns: d) : Gram.columns(centred, rows: n, columns: d)
        let eigen = try SymmetricEigen(of: gram, size: size, vectors: wanted > 0)
        let kept = min(wanted, size)
        components = (0..<kept).map { index in
            let vector = Array(eigen.vectors[index * size..<(index + 1) * size])
            guard usesRows else { return Self.oriented(vector) }
            var direction = [Double](repeating: 0, count: d)
            for row in 0..<n {
                for column in 0..<d { direction[column] += vector[row] * centred[row * d + column] }
            }
            return Self.oriented(direction)
        }
        variances = eigen.values.map { max(0, $0) / Double(n - 1) }
        self.mean = mean
        count = n
        width = d
    }

    package var totalVariance: Double { variances.reduce(0, +) }

    /// (Σλ)² / Σλ²: the number of equal variances that would be as spread out.
    package var participationRatio: Double {
        let squares = variances.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? totalVariance * totalVariance / squares : 0
    }

    /// The fewest components that hold at least `share` of the variance.
    package func dimensions(holding share: Double) -> Int {
        let total = totalVariance
        var sum = 0.0
        for (index, variance) in variances.enumerated() {
            sum += variance
            if sum >= share * total { return index + 1 }
        }
        return variances.count
    }

    /// A point set's coordinates along the components. [N, components]
    package func project(_ points: Matrix) -> Matrix {
        precondition(points.columns == width, "points of width \(points.columns) on components of width \(width)")
        var result = Matrix(rows: points.rows, columns: components.count)
        for row in 0..<points.rows {
            for (index, component) in components.enumerated() {
                var sum = 0.0
                for column in 0..<width {
                    sum += (Double(points.values[row * width + column]) - mean[column]) * component[column]
                }
                result[row, index] = Float(sum)
            }
        }
        return result
    }

    private static func oriented(_ vector: [Double]) -> [Double] {
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 0, let largest = vector.max(by: { abs($0) < abs($1) }) else { return vector }
        let scale = largest < 0 ? -1 / norm : 1 / norm
        return vector.map { $0 * scale }
    }
}
