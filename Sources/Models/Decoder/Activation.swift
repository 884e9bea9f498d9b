import LinearAlgebra

/// The function between the two products of an MLP.
package enum Activation: String, Sendable, Equatable {
    /// x / (1 + e^-x). (Elfwing et al. 2018.)
    case silu
    /// x Φ(x) with the error function. (Hendrycks and Gimpel 2016.)
    case gelu
    /// Its approximation by tanh, eq. 2 of the same paper.
    case geluTanh = "gelu_tanh"
    case relu

    /// By the name that config.json uses.
    init?(name: String) {
        switch name {
        case "silu", "swish": self = .silu
        case "gelu": self = .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh": self = .geluTanh
        case "relu": self = .relu
        default: return nil
        }
    }

    /// result = f(x) · factor, or f(x) without a factor, elementwise.
    func apply(
        _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        switch self {
        case .silu: VectorMath.silu(x, times: factor, into: result, count: count)
        case .gelu: VectorMath.gelu(x, times: factor, into: result, count: count)
        case .geluTanh: VectorMath.geluTanh(x, times: factor, into: result, count: count)
        case .relu: VectorMath.relu(x, times: factor, into: result, count: count)
        }
    }
}
