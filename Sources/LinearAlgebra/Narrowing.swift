/// Rounding of f32 to 16 bits, to the nearest, ties to even; NaN stays NaN.
package enum Narrowing {
    /// f32 values that bf16 can hold.
    package static func roundToBF16(
        _ source: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count {
            result[index] = Float(bitPattern: rounded(source[index].bitPattern) & 0xFFFF_0000)
        }
    }

    /// bf16 words.
    package static func bf16(_ source: UnsafePointer<Float>, into result: UnsafeMutablePointer<UInt16>, count: Int) {
        for index in 0..<count { result[index] = UInt16(truncatingIfNeeded: rounded(source[index].bitPattern) &>> 16) }
    }

    /// f16 words (IEEE 754 binary16); what is 65520 or more becomes infinite.
    package static func f16(_ source: UnsafePointer<Float>, into result: UnsafeMutablePointer<UInt16>, count: Int) {
        for index in 0..<count { result[index] = half(source[index]) }
    }

    private static func half(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern &>> 16) & 0x8000
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 | UInt16((magnitude &>> 13) & 0x03FF) }
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            // Subnormal: a multiple of 2^-24, which is the last place of numbers from 1/2 to 1, where the addition rounds.
            return sign | UInt16((Float(bitPattern: magnitude) + 0.5).bitPattern - 0x3F00_0000)
        }
        let nearest = magnitude &+ 0x0FFF &+ ((magnitude &>> 13) & 1)
        return sign | UInt16((nearest &- 0x3800_0000) &>> 13)
    }

    @inline(__always)
    private static func rounded(_ bits: UInt32) -> UInt32 {
        let nearest = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
        let isNaN = (bits & 0x7FFF_FFFF) > 0x7F80_0000
        return isNaN ? bits | 0x0040_0000 : nearest
    }
}
