import Checkpoints
import LinearAlgebra
import Models

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Sums over the elements of two tensors side by side, all taken in one pass, in float64.
///
/// Blocks have a fixed size and are added up in order, so that the number of threads changes no bit.
struct DifferenceSums: Sendable {
    /// Elements of a block: both sides, widened, stay in the first-level cache.
    private static let blockCount = 1024

    var count = 0
    var a = SideSums()
    var b = SideSums()
    /// Σ|b - a|, Σ(b - a)², max |b - a|.
    var absolute = 0.0
    var squares = 0.0
    var largest = 0.0
    /// Elements whose value is another.
    var changed = 0

    var isFinite: Bool { a.nonFinite == 0 && b.nonFinite == 0 }

    mutating func add(_ other: DifferenceSums) {
        count += other.count
        a.add(other.a)
        b.add(other.b)
        absolute += other.absolute
        squares += other.squares
        largest = max(largest, other.largest)
        changed += other.changed
    }

    /// Elements `range` of two tensors of one shape.
    static func measure(_ a: TensorView, _ b: TensorView, _ range: Range<Int>) -> DifferenceSums {
        var total = DifferenceSums()
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * blockCount) { scratch in
            for first in stride(from: range.lowerBound, to: range.upperBound, by: blockCount) {
                let count = min(blockCount, range.upperBound - first)
                let one = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
                a.copyDoubles(from: first, into: one)
                total.count += count
                let sums = SideSums(one)
                total.a.add(sums)
                // The same bytes have the same sums, and no change.
                if sums.nonFinite == 0, isSame(a, b, first, count) {
                    total.b.add(sums)
                    continue
                }
                let other = UnsafeMutableBufferPointer(rebasing: scratch[blockCount..<blockCount + count])
                b.copyDoubles(from: first, into: other)
                total.b.add(SideSums(other))
                total.addChange(one, other)
            }
        }
        return total
    }

    private static func isSame(_ a: TensorView, _ b: TensorView, _ first: Int, _ count: Int) -> Bool {
        guard a.type == b.type else { return false }
        let size = a.type.byteCount
        let range = first * size..<(first + count) * size
        return UnsafeRawBufferPointer(rebasing: a.bytes[range]).isEqual(to: .init(rebasing: b.bytes[range]))
    }

    /// Eight elements at a time.
    private mutating func addChange(
        _ a: UnsafeMutableBufferPointer<Double>, _ b: UnsafeMutableBufferPointer<Double>
    ) {
        let whole = a.count / 8 * 8
        let (rawA, rawB) = (UnsafeRawPointer(a.baseAddress!), UnsafeRawPointer(b.baseAddress!))
        var (sizes, powers, peaks) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
        var same = SIMD8<Int64>.zero
        for index in stride(from: 0, to: whole * 8, by: 64) {
            let x = rawA.loadUnaligned(fromByteOffset: index, as: SIMD8<Double>.self)
            let y = rawB.loadUnaligned(fromByteOffset: index, as: SIMD8<Double>.self)
            let change = y - x
            let size = change.sizes
            sizes += size
            powers = powers.addingProduct(change, change)
            peaks.replace(with: size, where: size .> peaks)
            // True is -1 in every lane.
            same &-= unsafeBitCast(x .== y, to: SIMD8<Int64>.self)
        }
        absolute += sizes.sum()
        squares += powers.sum()
        for lane in 0..<8 { largest = max(largest, peaks[lane]) }
        changed += whole - Int(same.wrappedSum())
        for index in whole..<a.count {
            let change = b[index] - a[index]
            absolute += abs(change)
            squares += change * change
            largest = max(largest, abs(change))
            changed += a[index] == b[index] ? 0 : 1
        }
    }
}

/// Sums over the elements of one tensor.
struct SideSums: Sendable {
    /// Σ|x| and Σx².
    var absolute = 0.0
    var squares = 0.0
    /// max |x|.
    var largest = 0.0
    /// NaN and infinite elements.
    var nonFinite = 0
    /// Σ 4^⌊log2|x|⌋: the squares of the powers of two that the elements' last places are counted from.
    var binades = 0.0
    /// All elements' bits as float64, joined by or: trailing zeros are digits that none has.
    var bits: UInt64 = 0

    init() {}

    mutating func add(_ other: SideSums) {
        absolute += other.absolute
        squares += other.squares
        largest = max(largest, other.largest)
        nonFinite += other.nonFinite
        binades += other.binades
        bits |= other.bits
    }

    /// One block, eight elements at a time.
    init(_ values: UnsafeMutableBufferPointer<Double>) {
        let whole = values.count / 8 * 8
        let raw = UnsafeRawPointer(values.baseAddress!)
        var (sizes, powers, peaks, units) = (
            SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero
        )
        var joined = SIMD8<UInt64>.zero
        let exponent = SIMD8<UInt64>(repeating: 0x7FF0_0000_0000_0000)
        for index in stride(from: 0, to: whole * 8, by: 64) {
            let size = raw.loadUnaligned(fromByteOffset: index, as: SIMD8<Double>.self).sizes
            let word = unsafeBitCast(size, to: SIMD8<UInt64>.self)
            let unit = unsafeBitCast(word & exponent, to: SIMD8<Double>.self)
            sizes += size
            powers = powers.addingProduct(size, size)
            units = units.addingProduct(unit, unit)
            peaks.replace(with: size, where: size .> peaks)
            joined |= word
        }
        absolute = sizes.sum()
        squares = powers.sum()
        binades = units.sum()
        for lane in 0..<8 {
            largest = max(largest, peaks[lane])
            bits |= joined[lane]
        }
        for value in values[whole...] {
            let size = abs(value)
            let unit = Double(bitPattern: size.bitPattern & 0x7FF0_0000_0000_0000)
            absolute += size
            squares += size * size
            binades += unit * unit
            largest = max(largest, size)
            bits |= size.bitPattern
        }
        // A sum of sizes is finite only if all of them are.
        if !absolute.isFinite { nonFinite = values.count { !$0.isFinite } }
    }
}

extension SIMD8<Double> {
    /// |x|.
    @inline(__always)
    fileprivate var sizes: SIMD8<Double> {
        unsafeBitCast(
            unsafeBitCast(self, to: SIMD8<UInt64>.self) & 0x7FFF_FFFF_FFFF_FFFF, to: SIMD8<Double>.self)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard let one = baseAddress, let two = other.baseAddress else { return count == other.count }
        return count == other.count && memcmp(one, two, count) == 0
    }
}
