import Checkpoints
import LinearAlgebra
import Models

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Sums over the elements a and b of two tensors A and B of one shape, all taken in one pass and in float64.
///
/// Blocks have a fixed size and are added up in order, so that the number of threads changes no bit.
struct DifferenceSums: Sendable {
    /// The number of elements that are summed at a time: few enough that those of both tensors, widened to float64,
    /// stay in the first-level cache.
    private static let blockCount = 1024

    var count = 0
    var a = SideSums()
    var b = SideSums()
    /// The sum Σ|b - a| over the elements a of tensor A and b of tensor B.
    var absolute = 0.0
    /// The sum Σ(b - a)² over the elements a of tensor A and b of tensor B.
    var squares = 0.0
    /// The largest change of an element between two tensors, max |b - a|.
    var largest = 0.0
    /// The number of elements whose value differs between the two tensors.
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

    /// Returns the sums over the elements `range`, counted row by row, of two tensors of one shape.
    static func measure(_ a: TensorView, _ b: TensorView, _ range: Range<Int>) -> DifferenceSums {
        var total = DifferenceSums()
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * blockCount) { scratch in
            for first in stride(from: range.lowerBound, to: range.upperBound, by: blockCount) {
                let count = min(blockCount, range.upperBound - first)
                let one = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
                a.copyDoubles(from: first, into: one)
                total.count += count
                let sums = SideSums(one, isCoarsest: a.type == .bf16)
                total.a.add(sums)
                // Equal bytes have equal sums, and no change.
                if sums.nonFinite == 0, isSame(a, b, first, count) {
                    total.b.add(sums)
                    continue
                }
                let other = UnsafeMutableBufferPointer(rebasing: scratch[blockCount..<blockCount + count])
                b.copyDoubles(from: first, into: other)
                total.b.add(SideSums(other, isCoarsest: b.type == .bf16))
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

    /// Adds the changes b - a of a block of elements of two tensors to the sums, eight elements at a time.
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

extension UnsafeRawBufferPointer {
    fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard let one = baseAddress, let two = other.baseAddress else { return count == other.count }
        return count == other.count && memcmp(one, two, count) == 0
    }
}
