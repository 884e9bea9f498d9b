/// Rounding of f32 to bf16, to the nearest, ties to even; NaN stays NaN.
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

    @inline(__always)
    private static func rounded(_ bits: UInt32) -> UInt32 {
        let nearest = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
        let isNaN = (bits & 0x7FFF_FFFF) > 0x7F80_0000
        return isNaN ? bits | 0x0040_0000 : nearest
    }
}
