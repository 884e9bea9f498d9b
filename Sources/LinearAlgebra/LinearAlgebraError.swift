/// What a numerical library refused to do.
package enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
    /// LAPACK's `info` was not zero.
    case lapack(routine: String, info: Int)
    /// A worker thread could not be started.
    case thread(errno: Int32)
    /// The system has no more memory.
    case noMemory(byteCount: Int)

    /// A NaN or an infinity in a matrix.
    case notFinite

    package var description: String {
        switch self {
        case .lapack(let routine, let info):
            info < 0
                ? "LAPACK: argument \(-info) of \(routine) is not valid"
                : "LAPACK: \(routine) did not converge (info \(info)); does the matrix hold NaN or Inf?"
        case .noMemory(let byteCount): "out of memory: \(byteCount >> 20) MiB more were refused"
        case .notFinite: "the matrix holds NaN or Inf"
        case .thread(let code): "could not start a worker thread (errno \(code)); try --threads 1"
        }
    }
}
