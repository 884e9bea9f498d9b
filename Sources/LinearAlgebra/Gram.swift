internal import COpenBLAS

/// Products of a matrix with itself, in float64.
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

    private static func product(_ x: [Double], inner: Int, size: Int, transposed: Bool) -> [Double] {
        precondition(x.count == inner * size, "\(x.count) values for \(inner) x \(size)")
        var result = [Double](repeating: 0, count: size * size)
        guard size > 0, inner > 0 else { return result }
        _ = openBLASUsesOneThread
        // LAPACK reads our rows as its columns.
        var triangle = CChar(UInt8(ascii: "U"))
        var mode = CChar(UInt8(ascii: transposed ? "T" : "N"))
        var n = Int32(size)
        var k = Int32(inner)
        var lead = Int32(transposed ? inner : size)
        var one = 1.0
        var zero = 0.0
        dsyrk_(&triangle, &mode, &n, &k, &one, x, &lead, &zero, &result, &n)
        for row in 0..<size {
            for column in 0..<row { result[column * size + row] = result[row * size + column] }
        }
        return result
    }
}
