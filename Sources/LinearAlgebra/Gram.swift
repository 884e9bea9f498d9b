internal import COpenBLAS

/// Products of a matrix with itself, or with another one row by row, in float64.
package enum Gram {
    /// X'X of a row-major [rows, columns] matrix.
    ///
    /// - Returns: [columns, columns], both triangles filled in.
    package static func columns(_ x: [Double], rows: Int, columns: Int) -> [Double] {
        product(x, inner: rows, size: columns, transposed: false)
    }

    /// XX' of a row-major [rows, columns] matrix.
    ///
    /// - Returns: [rows, rows], both triangles filled in.
    package static func rows(_ x: [Double], rows: Int, columns: Int) -> [Double] {
        product(x, inner: columns, size: rows, transposed: true)
    }

    /// X'Y of two row-major matrices with as many rows, [rows, p] and [rows, q].
    ///
    /// - Returns: [p, q].
    package static func cross(
        _ x: [Double], columns p: Int, _ y: [Double], columns q: Int, rows: Int
    ) -> [Double] {
        precondition(x.count == rows * p && y.count == rows * q, "\(x.count) and \(y.count) values for \(rows) rows")
        var result = [Double](repeating: 0, count: p * q)
        guard p > 0, q > 0, rows > 0 else { return result }
        _ = openBLASUsesOneThread
        // BLAS reads our rows as its columns: what it is asked for is the transpose, Y'X.
        var (plain, transposed) = (CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "T")))
        var (m, n, k) = (Int32(q), Int32(p), Int32(rows))
        var (leadX, leadY, lead) = (n, m, m)
        var (one, zero) = (1.0, 0.0)
        dgemm_(&plain, &transposed, &m, &n, &k, &one, y, &leadY, x, &leadX, &zero, &result, &lead)
        return result
    }

    private static func product(_ x: [Double], inner: Int, size: Int, transposed: Bool) -> [Double] {
        var result = [Double](repeating: 0, count: size * size)
        x.withUnsafeBufferPointer { add($0, inner: inner, transposed: transposed, to: &result, size: size) }
        mirror(&result, size: size)
        return result
    }

    /// Adds X'X of a row-major [inner, size] matrix, or XX' of a [size, inner] one (`transposed`), to one triangle of
    /// `result`, [size, size]: that which `SymmetricEigen` reads.
    static func add(
        _ x: UnsafeBufferPointer<Double>, inner: Int, transposed: Bool, to result: inout [Double], size: Int
    ) {
        precondition(x.count == inner * size, "\(x.count) values for \(inner) x \(size)")
        guard size > 0, inner > 0 else { return }
        _ = openBLASUsesOneThread
        // LAPACK reads our rows as its columns.
        var triangle = CChar(UInt8(ascii: "U"))
        var mode = CChar(UInt8(ascii: transposed ? "T" : "N"))
        var n = Int32(size)
        var k = Int32(inner)
        var lead = Int32(transposed ? inner : size)
        var one = 1.0
        dsyrk_(&triangle, &mode, &n, &k, &one, x.baseAddress, &lead, &one, &result, &n)
    }

    private static func mirror(_ matrix: inout [Double], size: Int) {
        for row in 0..<size {
            for column in 0..<row { matrix[column * size + row] = matrix[row * size + column] }
        }
    }
}
