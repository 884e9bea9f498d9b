import Foundation
import LinearAlgebra
import Statistics
import Testing

@Suite("Vector arithmetic")
struct VectorMathTests {
    @Test("softmax agrees with float64 and leaves masked entries at 0", arguments: [1, 5, 16, 17, 100])
    func softmax(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let scores = random.normal(count: count).map { Float($0 * 20) }
        var row = scores + [Float](repeating: 9, count: 7)
        VectorMath.softmax(&row, count: count, width: count + 7, scale: 0.5)
        let peak = scores.max()!
        let exact = scores.map { exp(Double($0 - peak) * 0.5) }
        let total = exact.reduce(0, +)
        for index in 0..<count { #expect(abs(Double(row[index]) - exact[index] / total) < 3e-7) }
        #expect(row[count...].allSatisfy { $0 == 0 })
    }

    @Test("softmax of widely spread scores underflows to 0, not to NaN")
    func softmaxUnderflow() {
        var row: [Float] = [0, -1000, -200]
        VectorMath.softmax(&row, count: 3, width: 3, scale: 1)
        #expect(row == [1, 0, 0])
    }

    @Test("softmax passes NaN on")
    func softmaxNaN() {
        var row: [Float] = [0, .nan, 1]
        VectorMath.softmax(&row, count: 3, width: 3, scale: 1)
        #expect(row.contains { $0.isNaN })
    }

    private typealias Kernel = (
        UnsafePointer<Float>, UnsafePointer<Float>?, UnsafeMutablePointer<Float>, Int
    ) -> Void

    @Test("activations agree with float64 over the whole range, with a factor and without")
    func activations() {
        let pairs: [(kernel: Kernel, exact: (Double) -> Double)] = [
            ({ VectorMath.silu($0, times: $1, into: $2, count: $3) }, { $0 / (1 + exp(-$0)) }),
            ({ VectorMath.gelu($0, times: $1, into: $2, count: $3) }, { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) }),
            (
                { VectorMath.geluTanh($0, times: $1, into: $2, count: $3) },
                { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
            ), ({ VectorMath.relu($0, times: $1, into: $2, count: $3) }, { max($0, 0) }),
        ]
        let x = (0..<1003).map { Float($0 - 500) * 0.21 }
        let factor = x.map { 1.5 - $0 * 0.01 }
        for (kernel, exact) in pairs {
            var plain = x
            var scaled = x
            kernel(x, nil, &plain, x.count)
            kernel(x, factor, &scaled, x.count)
            for index in x.indices {
                let expected = exact(Double(x[index]))
                #expect(abs(Double(plain[index]) - expected) <= 4e-7 * max(1, abs(expected)))
                let product = expected * Double(factor[index])
                #expect(abs(Double(scaled[index]) - product) <= 6e-7 * max(1, abs(product)))
            }
        }
    }

    @Test("a soft cap agrees with float64")
    func softCap() {
        let x = (0..<1003).map { Float($0 - 500) * 0.3 }
        var result = x
        VectorMath.softCap(&result, cap: 30, scale: 0.7, count: x.count)
        for index in x.indices {
            #expect(abs(Double(result[index]) - 30 * tanh(Double(x[index]) * 0.7 / 30)) < 1e-5)
        }
    }

    @Test("layer norm agrees with float64, far from zero too", arguments: [0, 100])
    func layerNorm(offset: Double) {
        var random = SeededRandom(seed: 8)
        let x = random.normal(count: 577).map { Float($0 + offset) }
        let weight = random.normal(count: 577).map(Float.init)
        let bias = random.normal(count: 577).map(Float.init)
        var result = x
        VectorMath.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5, into: &result, count: 577)
        let mean = x.reduce(0.0) { $0 + Double($1) } / 577
        let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 577
        for index in x.indices {
            let exact =
                (Double(x[index]) - mean) / (variance + 1e-5).squareRoot() * Double(weight[index])
                + Double(bias[index])
            #expect(abs(Double(result[index]) - exact) < 1e-6 * (1 + offset))
        }
    }

    @Test("rms norm agrees with float64")
    func rmsNorm() {
        var random = SeededRandom(seed: 7)
        let x = random.normal(count: 577).map(Float.init)
        let weight = random.normal(count: 577).map(Float.init)
        var result = x
        VectorMath.rmsNorm(x, weight: weight, epsilon: 1e-5, into: &result, count: 577)
        let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / 577
        for index in x.indices {
            let exact = Double(x[index]) / (mean + 1e-5).squareRoot() * Double(weight[index])
            #expect(abs(Double(result[index]) - exact) < 1e-6)
        }
    }

    @Test("log of a sum of exponentials")
    func logSumExp() {
        let x = (0..<37).map { Float($0) }
        let exact = log(x.reduce(0.0) { $0 + exp(Double($1)) })
        #expect(abs(VectorMath.logSumExp(x, count: 37) - exact) < 1e-6)
        #expect(VectorMath.logSumExp([-.infinity, -.infinity], count: 2) == -.infinity)
    }

    @Test("every half is widened to the same number")
    func halves() {
        let words = (0...UInt16.max).map(\.self)
        var result = [Float](repeating: 0, count: words.count)
        words.withUnsafeBytes { Widening.widen($0.baseAddress!, .f16, into: &result, count: words.count) }
        for word in words {
            let exponent = Int((word >> 10) & 31)
            let fraction = Double(word & 1023) / 1024
            let sign = word & 0x8000 == 0 ? 1.0 : -1.0
            let value = Double(result[Int(word)])
            switch exponent {
            case 31: #expect(fraction == 0 ? value == sign * .infinity : value.isNaN)
            case 0: #expect(value == sign * fraction * pow(2, -14))
            default: #expect(value == sign * (1 + fraction) * pow(2, Double(exponent - 15)))
            }
        }
    }
}
