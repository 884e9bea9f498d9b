package import LinearAlgebra

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
    package init(_ points: Matrix, mean: [Double], pool: ThreadPool, control: RunControl) throws {
        let (n, d) = (points.rows, points.columns)
        count = n
        width = d
        let scale = 1 / Double(max(1, n - 1)).squareRoot()
        var centred = [Float](repeating: 0, count: n * d)
        for row in 0..<n {
            for column in 0..<d {
                centred[row * d + column] = Float((Double(points.values[row * d + column]) - mean[column]) * scale)
            }
        }
        guard d < n else {
            // Normal combinations of the centred rows have their covariance, whatever its rank.
            factor = centred
            inner = n
            isLower = false
            return
        }
        let covariance = try Self.covariance(centred, rows: n, columns: d, pool: pool, control: control)
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
                        if isLower {
                            try worker.products.multiplyTransposed(
                                a, factor.baseAddress!, into: c, rows: rows, columns: width, depth: inner)
                        } else {
                            try worker.products.multiply(
                                a, factor.baseAddress!, into: c, rows: rows, columns: width, depth: inner)
                        }
                    }
                }
            }
        }
        return result
    }

    /// C'C in float64 from products of f32, column tile by column tile.
    private static func covariance(
        _ centred: [Float], rows n: Int, columns d: Int, pool: ThreadPool, control: RunControl
    ) throws -> [Double] {
        var turned = [Float](repeating: 0, count: n * d)
        for strip in stride(from: 0, to: d, by: 16) {
            for row in 0..<n {
                for column in strip..<min(d, strip + 16) { turned[column * n + row] = centred[row * d + column] }
            }
        }
        var product = [Float](repeating: 0, count: d * d)
        let share = 128
        try turned.withUnsafeBufferPointer { turned in
            try product.withUnsafeMutableBufferPointer { product in
                nonisolated(unsafe) let product = product
                try pool.run(tasks: (d + share - 1) / share) { task, worker in
                    try control.checkCancellation()
                    let from = task * share
                    try worker.products.multiplyTransposed(
                        turned.baseAddress! + from * n, turned.baseAddress!, into: product.baseAddress! + from * d,
                        rows: min(share, d - from), columns: d, depth: n)
                }
            }
        }
        return product.map { Double($0) }
    }
}
