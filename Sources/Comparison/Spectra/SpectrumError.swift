import TerminalText

/// The reason why a weight matrix has no singular values to show, or why none can be computed.
package enum SpectrumError: Error, Equatable, Sendable, CustomStringConvertible {
    case notFinite
    case allZero
    /// The decomposition of the matrix has failed, for the reason that the text gives.
    case undecomposed(String)
    /// None of that many tensors is a finite matrix of a size that can be decomposed.
    case noMatrix(of: Int, sizeLimit: Int)
    /// The memory does not suffice for the singular values: the bytes that they need, and those available.
    case noMemory(Int, available: Int)
    /// A tensor that was there when the checkpoint was opened is gone.
    case gone(String)

    package var description: String {
        switch self {
        case .notFinite: "it holds NaN or Inf"
        case .allZero: "all of it is 0"
        case .undecomposed(let reason): reason
        case .noMatrix(let count, let limit):
            "none of the \(counted(count, "tensor")) listed is a finite matrix with a side of at most \(limit)"
        case .noMemory(let needed, let available):
            "singular values of these matrices take \(NumberFormat.bytes(needed)) of memory;"
                + " \(NumberFormat.bytes(available)) are available"
        case .gone(let name): "\(name) is gone"
        }
    }
}
