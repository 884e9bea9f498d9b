package import LinearAlgebra

/// Random directions with the covariance of activations: what removing or adding "some direction or other" does, where
/// directions of much variance are as likely as they are large.
package struct CovarianceMatched: Sendable {
    /// [rows, width], centred.
    private let centred: Matrix

    /// - Parameter rows: [rows, width], at least two that differ.
    /// - Throws: `DirectionsError.zero` if all rows are the same.
    package init(_ rows: Matrix) throws {
        let means = rows.columnMeans
        var values = rows.values
        for index in values.indices { values[index] = Float(Double(values[index]) - means[index % rows.columns]) }
        guard values.contains(where: { $0 != 0 }) else { throw DirectionsError.zero(vector: 0) }
        centred = Matrix(rows: rows.rows, columns: rows.columns, values: values)
    }

    /// Independent draws from N(0, C), C the rows' covariance, made orthonormal one after another.
    ///
    /// - Parameters:
    ///   - dimension: how many; at most the rank of the rows.
    ///   - lengths: of the vectors; ones when nil. [dimension]
    /// - Throws: `DirectionsError` if the rows span too little.
    package func subspace(
        _ dimension: Int, lengths: [Double]? = nil, random: inout SeededRandom
    ) throws -> Subspace {
        var vectors = Matrix(rows: dimension, columns: centred.columns)
        for index in 0..<dimension {
            let weights = random.normal(count: centred.rows)
            var sum = [Double](repeating: 0, count: centred.columns)
            for (row, weight) in weights.enumerated() {
                for (column, value) in centred.row(row).enumerated() { sum[column] += weight * Double(value) }
            }
            let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let scale = (lengths?[index] ?? 1) / max(length, .leastNormalMagnitude)
            for column in sum.indices { vectors[index, column] = Float(sum[column] * scale) }
        }
        return try Subspace(vectors: vectors)
    }
}
