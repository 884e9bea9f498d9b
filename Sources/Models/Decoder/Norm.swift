import LinearAlgebra

/// A normalisation with its weights, widened to f32.
struct Norm: Sendable {
    enum Kind {
        /// x / sqrt(mean(x²) + ε) · weight. (Zhang and Sennrich 2019, eq. 4.)
        case rootMeanSquare
        /// (x - mean) / sqrt(var + ε) · weight + bias. (Ba et al. 2016, eq. 4.)
        case layer(bias: [Float])
    }

    let kind: Kind
    /// The true weight: an offset is added already.
    let weight: [Float]
    let epsilon: Float

    var width: Int { weight.count }

    /// - Parameter isOffset: the weight that is stored is the true one less 1, as in Gemma.
    init(rootMeanSquare weight: [Float], epsilon: Float, isOffset: Bool = false) {
        kind = .rootMeanSquare
        self.weight = isOffset ? weight.map { $0 + 1 } : weight
        self.epsilon = epsilon
    }

    init(layer weight: [Float], bias: [Float], epsilon: Float) {
        kind = .layer(bias: bias)
        self.weight = weight
        self.epsilon = epsilon
    }

    /// One row. x, result: [width], which may be the same.
    func apply(_ x: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>) {
        weight.withUnsafeBufferPointer { weight in
            switch kind {
            case .rootMeanSquare:
                VectorMath.rmsNorm(
                    x, weight: weight.baseAddress!, epsilon: epsilon, into: result, count: weight.count)
            case .layer(let bias):
                bias.withUnsafeBufferPointer {
                    VectorMath.layerNorm(
                        x, weight: weight.baseAddress!, bias: $0.baseAddress!, epsilon: epsilon, into: result,
                        count: weight.count)
                }
            }
        }
    }
}
