import Foundation
import LinearAlgebra
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

    @Test("silu(gate) times up agrees with float64 over the whole range")
    func silu() {
        let gate = (0..<1000).map { Float($0 - 500) * 0.21 }
        let up = gate.map { 1.5 - $0 * 0.01 }
        var result = gate
        VectorMath.siluProduct(gate, up, into: &result, count: gate.count)
        for index in gate.indices {
            let x = Double(gate[index])
            let exact = x / (1 + exp(-x)) * Double(up[index])
            #expect(abs(Double(result[index]) - exact) <= 3e-7 * abs(exact) + 1e-36)
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
