/// Sums over the elements x of one of two compared tensors.
struct SideSums: Sendable {
    /// The sum Σ|x| over the tensor's elements x.
    var absolute = 0.0
    /// The sum Σx² over the tensor's elements x.
    var squares = 0.0
    /// The largest magnitude max |x| of the tensor's elements; 0 for bf16, where it is not needed.
    var largest = 0.0
    /// The number of the tensor's elements that are NaN or infinite.
    var nonFinite = 0
    /// The sum over the elements x of 4^⌊log2|x|⌋, the square of the largest power of two up to |x|; the error of
    /// rounding x is proportional to that power.
    var binades = 0.0
    /// The bits of all the tensor's elements as float64, joined by or; its trailing zeros are digits that no element
    /// uses.
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

    /// Computes the sums over one block of a tensor's elements, eight elements at a time.
    ///
    /// - Parameter isCoarsest: whether the tensor is stored in bf16. `bits` and `largest` serve to find the coarsest
    ///   type that holds all elements exactly. No type is coarser than bf16, so they are then left at 0.
    init(_ values: UnsafeMutableBufferPointer<Double>, isCoarsest: Bool) {
        if isCoarsest { self.init(values, tellsType: false) } else { self.init(values, tellsType: true) }
    }

    @inline(__always)
    private init(_ values: UnsafeMutableBufferPointer<Double>, tellsType: Bool) {
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
            if tellsType {
                peaks.replace(with: size, where: size .> peaks)
                joined |= word
            }
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
            if tellsType {
                largest = max(largest, size)
                bits |= size.bitPattern
            }
        }
        // A sum of magnitudes is finite only if all of them are.
        if !absolute.isFinite { nonFinite = values.count { !$0.isFinite } }
    }
}

extension SIMD8<Double> {
    /// The magnitudes |x| of the eight numbers x.
    @inline(__always)
    var sizes: SIMD8<Double> {
        unsafeBitCast(
            unsafeBitCast(self, to: SIMD8<UInt64>.self) & 0x7FFF_FFFF_FFFF_FFFF, to: SIMD8<Double>.self)
    }
}
