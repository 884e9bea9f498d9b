internal import COpenBLAS

/// The lower triangular factor L of a symmetric positive semidefinite matrix, A = L L'.
package struct Cholesky: Sendable {
    /// [n, n] row-major, zeros above the diagonal.
    package let lower: [Double]

    /// Factors a covariance with LAPACK's `dpotrf`, 1e-12 of its mean variance added to the diagonal (more, where rounding
    /// asks for it), so that one of lower rank has a factor too.
    ///
    /// - Parameter matrix: [n, n], symmetric.
    /// - Throws: `LinearAlgebraError.lapack` when the matrix is not positive semidefinite.
    package init(ofCovariance matrix: [Double], size n: Int) throws {
        precondition(matrix.count == n * n, "\(matrix.count) values for a symmetric matrix of size \(n)")
        guard n > 0 else {
            lower = []
            return
        }
        _ = openBLASUsesOneThread
        let meanVariance = (0..<n).reduce(0) { $0 + matrix[$1 * n + $1] } / Double(n)
        var info: Int32 = 0
        for ridge in [1e-12, 1e-10, 1e-8, 1e-6] {
            var a = matrix
            for index in 0..<n { a[index * n + index] += ridge * meanVariance }
            // LAPACK's columns are our rows: its upper factor is our lower one.
            var triangle = CChar(UInt8(ascii: "U"))
            var size = Int32(n)
            var lead = size
            dpotrf_(&triangle, &size, &a, &lead, &info)
            guard info == 0 else { continue }
            for row in 0..<n {
                for column in row + 1..<max(n, row + 1) { a[row * n + column] = 0 }
            }
            lower = a
            return
        }
        throw LinearAlgebraError.lapack(routine: "dpotrf", info: Int(info))
    }
}
