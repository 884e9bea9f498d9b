/// An elementwise function, as a type so that each loop over it is compiled for it alone: a closure is not inlined here.
private protocol LaneFunction {
    static func apply(_ x: VectorMath.Wide) -> VectorMath.Wide
}

private enum SiLU: LaneFunction {
    @inline(__always)
    static func apply(_ x: VectorMath.Wide) -> VectorMath.Wide { x / (1 + VectorMath.exp(-x)) }
}

private enum GELU: LaneFunction {
    @inline(__always)
    static func apply(_ x: VectorMath.Wide) -> VectorMath.Wide {
        let z = x.replacing(with: -x, where: x .< 0) * 0.70710678
        let t = 1 / (1 + z * 0.3275911)
        var p = t * 1.061405429 - 1.453152027
        p = p * t + 1.421413741
        p = p * t - 0.284496736
        p = p * t + 0.254829592
        // erfc(z), so that neither tail cancels.
        let complement = p * t * VectorMath.exp(-(z * z))
        return 0.5 * x * (2 - complement).replacing(with: complement, where: x .< 0)
    }
}

private enum GELUTanh: LaneFunction {
    @inline(__always)
    static func apply(_ x: VectorMath.Wide) -> VectorMath.Wide {
        let u = (x + x * x * x * 0.044715) * 1.59576912
        return x / (1 + VectorMath.exp(-u))
    }
}

private enum ReLU: LaneFunction {
    @inline(__always)
    static func apply(_ x: VectorMath.Wide) -> VectorMath.Wide { x.replacing(with: 0, where: x .< 0) }
}

extension VectorMath {
    /// result = f(x) · factor, or f(x) where there is no factor.
    @inline(__always)
    private static func map<Function: LaneFunction>(
        _: Function.Type, _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        var index = 0
        if let factor {
            while index + 16 <= count {
                store(Function.apply(load(x, index)) * load(factor, index), result, index)
                index += 16
            }
        } else {
            while index + 16 <= count {
                store(Function.apply(load(x, index)), result, index)
                index += 16
            }
        }
        guard index < count else { return }
        var tail = Wide(repeating: 0)
        for entry in index..<count { tail[entry - index] = x[entry] }
        let y = Function.apply(tail)
        for entry in index..<count { result[entry] = factor.map { y[entry - index] * $0[entry] } ?? y[entry - index] }
    }

    /// x / (1 + e^-x), elementwise, times a factor: with one, SwiGLU. (Elfwing et al. 2018; Shazeer 2020.)
    package static func silu(
        _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        map(SiLU.self, x, times: factor, into: result, count: count)
    }

    /// x Φ(x), elementwise, times a factor. (Hendrycks and Gimpel 2016.)
    ///
    /// The error function to 1.5e-7 absolute (Abramowitz and Stegun 7.1.26).
    package static func gelu(
        _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        map(GELU.self, x, times: factor, into: result, count: count)
    }

    /// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), elementwise, times a factor. (Hendrycks and Gimpel 2016.)
    package static func geluTanh(
        _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        map(GELUTanh.self, x, times: factor, into: result, count: count)
    }

    /// max(x, 0), elementwise, times a factor.
    package static func relu(
        _ x: UnsafePointer<Float>, times factor: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        map(ReLU.self, x, times: factor, into: result, count: count)
    }

    /// x <- cap · tanh(scale · x / cap). (Gemma 2 report, section 2.)
    package static func softCap(_ x: UnsafeMutablePointer<Float>, cap: Float, scale: Float = 1, count: Int) {
        let factor = 2 * scale / cap
        var index = 0
        while index + 16 <= count {
            store(cap - 2 * cap / (1 + exp(load(x, index) * factor)), x, index)
            index += 16
        }
        guard index < count else { return }
        var tail = Wide(repeating: 0)
        for entry in index..<count { tail[entry - index] = x[entry] }
        let y = cap - 2 * cap / (1 + exp(tail * factor))
        for entry in index..<count { x[entry] = y[entry - index] }
    }

    /// (x - mean) / sqrt(var + ε) · weight + bias, the variance over all entries. (Ba et al. 2016, eq. 4.)
    package static func layerNorm(
        _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        let mean = laneSum(x, count: count) / Float(count)
        var squares = Wide(repeating: 0)
        var index = 0
        while index + 16 <= count {
            let difference = load(x, index) - mean
            squares += difference * difference
            index += 16
        }
        var rest: Float = 0
        while index < count {
            rest += (x[index] - mean) * (x[index] - mean)
            index += 1
        }
        let scale = inverseRoot((squares.sum() + rest) / Float(count) + epsilon)
        for index in 0..<count { result[index] = (x[index] - mean) * scale * weight[index] + bias[index] }
    }

    /// Σ xᵢ, with 16 partial sums added up in a fixed order.
    private static func laneSum(_ x: UnsafePointer<Float>, count: Int) -> Float {
        var wide = Wide(repeating: 0)
        var index = 0
        while index + 16 <= count {
            wide += load(x, index)
            index += 16
        }
        var rest: Float = 0
        while index < count {
            rest += x[index]
            index += 1
        }
        return wide.sum() + rest
    }
}
