package import Control
package import LinearAlgebra
package import Statistics

/// Gaussian samples of the covariance of a point set: all that its second moments say, and nothing else.
package struct GaussianSurrogate: Sendable {
    private let count: Int
    private let width: Int
    /// [width, inner] or [inner, width]: a sample is normal numbers [count, inner] times it.
    private let factor: [Float]
    private let inner: Int
    private let isLower: Bool

    /// - Parameter points: [N, D] with N >= 2.
    /// - Throws: `LinearAlgebraError` from LAPACK.
    package init(_ points: Matrix, mean: [Double]) throws {
        let (n, d) = (points.rows, points.columns)
        count = n
        width = d
        let scale = 1 / Double(max(1, n - 1)).squareRoot()
        var centred = [Double](repeating: 0, count: n * d)
        for row in 0..<n {
            for column in 0..<d {
                centred[row * d + column] = (Double(points.values[row * d + column]) - mean[column]) * scale
            }
        }
        guard d < n else {
            // Normal combinations of the centred rows have their covariance, whatever its rank.
            factor = centred.map { Float($0) }
            inner = n
            isLower = false
            return
        }
        let covariance = Gram.columns(centred, rows: n, columns: d)
        factor = try Cholesky(ofCovariance: covariance, size: d).lower.map { Float($0) }
        inner = d
        isLower = true
    }

    /// As many points as the set has, [N, D], about 0.
    package func sample(_ random: inout SeededRandom, pool: ThreadPool, control: RunControl) throws -> Matrix {
        let normal = random.normal(count: count * inner).map { Float($0) }
        var result = Matrix(rows: count, columns: width)
        let share = 256
        try normal.withUnsafeBufferPointer { normal in
            try factor.withUnsafeBufferPointer { factor in
                try result.values.withUnsafeMutableBufferPointer { result in
                    nonisolated(unsafe) let result = result
                    try pool.run(tasks: (count + share - 1) / share) { task, worker in
                        try control.checkCancellation()
                        let from = task * share
                        let rows = min(share, count - from)
                        let a = normal.baseAddress! + from * inner
                        let c = result.baseAddress! + from * width
                        worker.products.multiply(
                            a, rows: rows,
                            by: ProductWeight(
                                factor.baseAddress!, .f32, isLower ? .rows(stride: inner) : .columns(stride: width)),
                            outputs: width, inputs: inner, into: c)
                    }
                }
            }
        }
        return result
    }
}
