internal import COpenBLAS

/// Singular values of a matrix, and its right singular vectors: small values are as exact as large ones, relative to the
/// largest, which those from a Gram matrix are not.
package struct SingularValues: Sendable {
    /// min(rows, columns), largest first.
    package let values: [Double]
    /// [min(rows, columns), columns]: row i belongs to `values[i]`; empty if only values were asked for.
    package let rightVectors: [Double]

    /// Decomposes a matrix with LAPACK's `dgesdd`.
    ///
    /// - Parameters:
    ///   - matrix: [rows, columns] row-major.
    ///   - vectors: whether to compute right singular vectors too.
    /// - Throws: `LinearAlgebraError.lapack` when the matrix holds values that do not let it converge.
    package init(of matrix: [Double], rows: Int, columns: Int, vectors wanted: Bool = false) throws {
        precondition(matrix.count == rows * columns, "\(matrix.count) values for \(rows) x \(columns)")
        let rank = min(rows, columns)
        guard rank > 0 else {
            (values, rightVectors) = ([], [])
            return
        }
        _ = openBLASUsesOneThread
        var a = matrix
        var s = [Double](repeating: 0, count: rank)
        // LAPACK reads our rows as its columns: its left vectors are our right ones.
        var left = [Double](repeating: 0, count: wanted ? columns * rank : 1)
        var right = [Double](repeating: 0, count: wanted ? rank * rows : 1)
        var mode = CChar(UInt8(ascii: wanted ? "S" : "N"))
        var (m, n, lead) = (Int32(columns), Int32(rows), Int32(wanted ? rank : 1))
        var (leadA, leadLeft) = (m, wanted ? m : 1)
        var integers = [Int32](repeating: 0, count: 8 * rank)
        var info: Int32 = 0
        var work = [Double](repeating: 0, count: 1)
        var workCount: Int32 = -1
        dgesdd_(
            &mode, &m, &n, &a, &leadA, &s, &left, &leadLeft, &right, &lead, &work, &workCount, &integers, &info)
        guard info == 0 else { throw LinearAlgebraError.lapack(routine: "dgesdd", info: Int(info)) }
        work = [Double](repeating: 0, count: max(1, Int(work[0])))
        workCount = Int32(work.count)
        dgesdd_(
            &mode, &m, &n, &a, &leadA, &s, &left, &leadLeft, &right, &lead, &work, &workCount, &integers, &info)
        guard info == 0 else { throw LinearAlgebraError.lapack(routine: "dgesdd", info: Int(info)) }
        values = s
        rightVectors = wanted ? left : []
    }
}
