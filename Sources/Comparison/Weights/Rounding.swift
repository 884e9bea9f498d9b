import Checkpoints
import LinearAlgebra
import Models

/// The coarseness of a tensor's numbers: the type in which its values fit, whatever type they are stored in.
enum Rounding {
    /// Returns the coarsest type (bf16, f16, f32 or f64) in which a tensor's values fit exactly, from the values' bits
    /// as float64 joined by or. Integers keep their stored type.
    ///
    /// - Parameter largest: the largest magnitude of the values, because f16 ends at 65,504.
    static func grain(bits: UInt64, largest: Double, stored: ElementType) -> ElementType {
        guard stored.isFloatingPoint, bits != 0 else { return stored }
        let mantissa = bits & 0x000F_FFFF_FFFF_FFFF
        let digits = mantissa == 0 ? 0 : 52 - mantissa.trailingZeroBitCount
        let fitting: ElementType =
            digits <= 7 ? .bf16 : digits <= 10 && largest <= 65_504 ? .f16 : digits <= 23 ? .f32 : .f64
        return fitting.digits < stored.digits ? fitting : stored
    }

    /// Returns the change that rounding to nearest makes, if errors are uniform within half a unit in the last place:
    /// their root mean square is 1/√12 of that unit. (Widrow and Kollár 2008, 1.2.)
    ///
    /// - Parameter binades: the sum of 4^⌊log2|x|⌋ over the tensor's elements x.
    /// - Returns: the Frobenius norm of the tensor's change.
    static func expectedChange(binades: Double, _ type: ElementType) -> Double {
        guard type.isFloatingPoint else { return 0 }
        return (binades / 12).squareRoot() * Double(sign: .plus, exponent: -type.digits, significand: 1)
    }

    /// The result of rounding one tensor to a type, compared with another tensor.
    struct Match: Sendable {
        /// The sum Σ(round(x) - x)² over the elements x of the tensor that is rounded.
        var squares = 0.0
        /// The number of elements of the other tensor that equal those of the rounded tensor.
        var equal = 0

        mutating func add(_ other: Match) {
            squares += other.squares
            equal += other.equal
        }
    }

    /// Rounds the elements `range` of the tensor `fine` to `type` (f32, bf16 or f16), and counts those that then equal
    /// the elements of the tensor `coarse`.
    static func match(
        _ fine: TensorView, _ coarse: TensorView, to type: ElementType, _ range: Range<Int>
    ) -> Match {
        var match = Match()
        let step = 1024
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * step) { numbers in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: step) { floats in
                withUnsafeTemporaryAllocation(of: UInt16.self, capacity: step) { words in
                    for first in stride(from: range.lowerBound, to: range.upperBound, by: step) {
                        let count = min(step, range.upperBound - first)
                        let exact = UnsafeMutableBufferPointer(rebasing: numbers[0..<count])
                        let other = UnsafeMutableBufferPointer(rebasing: numbers[step..<step + count])
                        fine.copyDoubles(from: first, into: exact)
                        coarse.copyDoubles(from: first, into: other)
                        for index in 0..<count { floats[index] = Float(exact[index]) }
                        if type == .bf16 {
                            Narrowing.bf16(floats.baseAddress!, into: words.baseAddress!, count: count)
                        } else if type == .f16 {
                            Narrowing.f16(floats.baseAddress!, into: words.baseAddress!, count: count)
                        }
                        if type != .f32 {
                            Widening.widen(words.baseAddress!, type, into: floats.baseAddress!, count: count)
                        }
                        for index in 0..<count {
                            let rounded = Double(floats[index])
                            let change = rounded - exact[index]
                            match.squares += change * change
                            match.equal += rounded == other[index] ? 1 : 0
                        }
                    }
                }
            }
        }
        return match
    }
}

extension ElementType {
    /// The number of binary digits after the point that a normal number of the type has; 63 for integers, which are not
    /// rounded.
    var digits: Int {
        switch self {
        case .bf16: 7
        case .f16: 10
        case .f32: 23
        case .f64: 52
        default: 63
        }
    }
}
