/// Exact conversions of stored 16-bit floats to 32 bits.
package enum Widening {
    /// Widens `count` elements of `type` starting at `source` to f32.
    ///
    /// bf16 is the upper half of an f32. f16 is rebiased by a multiplication with 2^112, which is exact for subnormal
    /// numbers too; infinities and NaN keep their meaning. f64 is rounded to nearest.
    package static func widen(
        _ source: UnsafeRawPointer, _ type: ElementType, into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        switch type {
        case .f32:
            UnsafeMutableRawPointer(result).copyMemory(from: source, byteCount: count * 4)
        case .bf16:
            let words = source.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count { result[index] = Float(bitPattern: UInt32(words[index]) << 16) }
        case .f16:
            let words = source.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count { result[index] = float(half: words[index]) }
        case .f64:
            let values = source.assumingMemoryBound(to: Double.self)
            for index in 0..<count { result[index] = Float(values[index]) }
        default:
            preconditionFailure("\(type.rawValue) is not a floating-point type")
        }
    }

    @inline(__always)
    static func float(half: UInt16) -> Float {
        let bits = UInt32(half & 0x7FFF) << 13
        let sign = UInt32(half & 0x8000) << 16
        let finite = (Float(bitPattern: bits) * Float(bitPattern: 0x7780_0000)).bitPattern
        let special = bits | 0x7F80_0000
        return Float(bitPattern: ((half & 0x7C00) == 0x7C00 ? special : finite) | sign)
    }

    /// Eight at a time; the same values as `float(half:)`.
    @inline(__always)
    static func floats(halves: SIMD8<UInt16>) -> SIMD8<Float> {
        let words = SIMD8<UInt32>(truncatingIfNeeded: halves)
        let bits = (words & 0x7FFF) &<< 13
        let sign = (words & 0x8000) &<< 16
        let rebias = SIMD8<Float>(repeating: Float(bitPattern: 0x7780_0000))
        let finite = unsafeBitCast(unsafeBitCast(bits, to: SIMD8<Float>.self) * rebias, to: SIMD8<UInt32>.self)
        let result = finite.replacing(with: bits | 0x7F80_0000, where: (words & 0x7C00) .== 0x7C00)
        return unsafeBitCast(result | sign, to: SIMD8<Float>.self)
    }
}
