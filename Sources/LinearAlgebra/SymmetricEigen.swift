internal import COpenBLAS

/// Eigenvalues and eigenvectors of a symmetric matrix.
package struct SymmetricEigen: Sendable {
    /// Largest first.
    package let values: [Double]
    /// [k, n]: row i belongs to `values[i]`; empty if only values were asked for.
    package let vectors: [Double]

    /// Decomposes a symmetric matrix with LAPACK's `dsyevd`.
    ///
    /// - Parameters:
    ///   - matrix: [n, n] row-major; only one triangle is read.
    ///   - vectors: whether to compute eigenvectors too.
    /// - Throws: `LinearAlgebraError.lapack` when the matrix holds values that do not let it converge.
    package init(of matrix: [Double], size n: Int, vectors wanted: Bool = true) throws {
        precondition(matrix.count == n * n, "\(matrix.count) values for a symmetric matrix of size \(n)")
        guard n > 0 else {
            values = []
            vectors = []
            return
        }
        _ = openBLASUsesOneThread
        var a = matrix
        var w = [Double](repeating: 0, count: n)
        let mode = CChar(UInt8(ascii: wanted ? "V" : "N"))
        let triangle = CChar(UInt8(ascii: "U"))
        let size = Int32(n)
        var info: Int32 = 0
        func call(_ work: inout [Double], _ workCount: Int32, _ integers: inout [Int32], _ integerCount: Int32) {
            withUnsafePointer(to: mode) { mode in
                withUnsafePointer(to: triangle) { triangle in
                    withUnsafePointer(to: size) { size in
                        withUnsafePointer(to: workCount) { workCount in
                            withUnsafePointer(to: integerCount) { integerCount in
                                dsyevd_(
                                    mode, triangle, size, &a, size, &w, &work, workCount, &integers, integerCount, &info
                                )
                            }
                        }
                    }
                }
            }
        }
        var work = [Double](repeating: 0, count: 1)
        var integers = [Int32](repeating: 0, count: 1)
        call(&work, -1, &integers, -1)
        guard info == 0 else { throw LinearAlgebraError.lapack(routine: "dsyevd", info: Int(info)) }
        work = [Double](repeating: 0, count: max(1, Int(work[0])))
        integers = [Int32](repeating: 0, count: max(1, Int(integers[0])))
        call(&work, Int32(work.count), &integers, Int32(integers.count))
        guard info == 0 else { throw LinearAlgebraError.lapack(routine: "dsyevd", info: Int(info)) }
        values = w.reversed()
        if wanted {
            // LAPACK's columns are our rows, smallest eigenvalue first.
            var rows = [Double]()
            rows.reserveCapacity(n * n)
            for index in (0..<n).reversed() { rows += a[index * n..<(index + 1) * n] }
            vectors = rows
        } else {
            vectors = []
        }
    }
}
