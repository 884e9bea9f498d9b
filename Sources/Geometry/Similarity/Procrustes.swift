import LinearAlgebra

/// Orthogonal Procrustes distance of two sets of paired points: what is left between them after the best rotation.
package enum Procrustes {
    /// |X|² + |Y|² - 2 |X'Y|_* of centred rows with Frobenius norm 1: 0 for the same points up to rotation and scale, 2 for
    /// unrelated ones at most (Schönemann 1966; Ding, Denain and Steinhardt 2021, NeurIPS). Exactly 0 for the same rows.
    ///
    /// - Throws: `GeometryError` for sets of different sizes; `LinearAlgebraError` from LAPACK.
    package static func distance(_ x: CentredRows, _ y: CentredRows) throws -> Double {
        guard x.count == y.count else { throw GeometryError.rowsDiffer(x.count, y.count) }
        guard x != y else { return 0 }
        let product = Gram.cross(x.values, columns: x.width, y.values, columns: y.width, rows: x.count)
        let nuclear = try SingularValues(of: product, rows: x.width, columns: y.width).values.reduce(0, +)
        return max(0, 2 - 2 * nuclear / (x.squaredNorm * y.squaredNorm).squareRoot())
    }
}
