import LinearAlgebra
import Testing

@Suite("Narrowing to f16")
struct NarrowingTests {
    private func half(_ value: Float) -> UInt16 {
        var (source, result): (Float, UInt16) = (value, 0)
        Narrowing.f16(&source, into: &result, count: 1)
        return result
    }

    private func widened(_ word: UInt16) -> Float {
        var (source, result): (UInt16, Float) = (word, 0)
        Widening.widen(&source, .f16, into: &result, count: 1)
        return result
    }

    @Test("every number that f16 has keeps its bits, and NaN stays NaN")
    func identity() {
        for word in UInt16.min...UInt16.max {
            let value = widened(word)
            if value.isNaN { #expect(widened(half(value)).isNaN) } else { #expect(half(value) == word) }
        }
    }

    @Test("between neighbours the nearer one is taken, in the middle the even one")
    func neighbours() {
        for word in stride(from: UInt16(0), to: 0x7BFF, by: 7) {
            let (low, high) = (widened(word), widened(word + 1))
            let middle = (low + high) / 2
            let even = word % 2 == 0 ? word : word + 1
            #expect(half(middle) == even, "\(middle)")
            #expect(half(middle.nextDown) == word && half(middle.nextUp) == word + 1, "\(middle)")
            #expect(half(-middle) == even | 0x8000)
        }
    }

    @Test("what is beyond f16 becomes infinite")
    func overflow() {
        #expect(half(65519.996) == 0x7BFF)
        #expect(half(65520) == 0x7C00 && half(-.infinity) == 0xFC00)
        #expect(half(1e-8) == 0 && half(.leastNonzeroMagnitude) == 0)
    }
}
