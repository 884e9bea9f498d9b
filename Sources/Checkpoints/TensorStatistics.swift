package import Control
package import LinearAlgebra
import Models
import Synchronization

/// Moments and extremes of one tensor's elements, accumulated in double precision.
///
/// NaN and infinite elements are counted and left out of everything else. The sums are taken over fixed blocks and
/// combined in order (Chan, Golub and LeVeque 1983, eq. 2.1), so that the number of threads changes no bit.
package struct TensorStatistics: Sendable, Equatable {
    /// All elements, finite or not.
    package let count: Int
    package let nanCount: Int
    package let infiniteCount: Int
    package let zeroCount: Int
    /// Least and greatest finite element; NaN if there is none.
    package let minimum: Double
    package let maximum: Double
    package let mean: Double
    /// Population standard deviation: division by the number of finite elements.
    package let standardDeviation: Double
    /// Root of the mean square.
    package let rootMeanSquare: Double
    package let absoluteMaximum: Double

    /// Elements of one block; a multiple of the kernel's width.
    private static let blockCount = 1 << 14
    /// Blocks that one thread takes at a time: about a millisecond.
    private static let blocksPerTask = 16

    package init(of tensor: TensorView, control: RunControl, threads: Int = 2) throws {
        let elementCount = tensor.bytes.count / tensor.type.byteCount
        let blocks = (elementCount + Self.blockCount - 1) / Self.blockCount
        let tasks = (blocks + Self.blocksPerTask - 1) / Self.blocksPerTask
        let partial = Mutex<[Moments]>(Array(repeating: Moments(), count: tasks))
        try forEachInParallel(tasks, threads: threads, control: control) { task in
            var sum = Moments()
            let scratch = UnsafeMutableBufferPointer<Double>.allocate(capacity: Self.blockCount)
            defer { scratch.deallocate() }
            for block in task * Self.blocksPerTask..<min((task + 1) * Self.blocksPerTask, blocks) {
                let first = block * Self.blockCount
                let count = min(Self.blockCount, elementCount - first)
                sum.add(Moments(of: tensor, first: first, count: count, scratch))
            }
            let result = sum
            partial.withLock { $0[task] = result }
        }
        var total = Moments()
        partial.withLock { for moments in $0 { total.add(moments) } }
        self.init(total)
    }

    private init(_ moments: Moments) {
        count = moments.finite + moments.nan + moments.infinite
        nanCount = moments.nan
        infiniteCount = moments.infinite
        zeroCount = moments.zero
        let isEmpty = moments.finite == 0
        minimum = isEmpty ? .nan : moments.minimum
        maximum = isEmpty ? .nan : moments.maximum
        mean = isEmpty ? .nan : moments.mean
        let variance = isEmpty ? .nan : moments.squares / Double(moments.finite)
        standardDeviation = variance.squareRoot()
        rootMeanSquare = (variance + mean * mean).squareRoot()
        absoluteMaximum = max(abs(minimum), abs(maximum))
    }
}

/// Sums of one block, or of several.
private struct Moments {
    var finite = 0
    var nan = 0
    var infinite = 0
    var zero = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity
    var mean = 0.0
    /// Sum of squared deviations from the mean.
    var squares = 0.0

    init() {}

    init(of tensor: TensorView, first: Int, count: Int, _ scratch: UnsafeMutableBufferPointer<Double>) {
        let size = tensor.type.byteCount
        let bytes = UnsafeRawBufferPointer(rebasing: tensor.bytes[first * size..<(first + count) * size])
        (nan, infinite) = nonFiniteCounts(bytes, tensor.type)
        widen(bytes, tensor.type, into: scratch)
        var values = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
        if nan + infinite > 0 {
            var kept = 0
            for value in values where value.isFinite {
                values[kept] = value
                kept += 1
            }
            values = UnsafeMutableBufferPointer(rebasing: values[0..<kept])
        }
        finite = values.count
        if finite > 0 { measure(UnsafeBufferPointer(values)) }
    }

    /// Two passes over values in the cache: extremes and sum, then deviations. Eight accumulators hide the latency.
    private mutating func measure(_ values: UnsafeBufferPointer<Double>) {
        let whole = values.count / 8 * 8
        var sums = SIMD8<Double>(repeating: 0)
        var least = SIMD8<Double>(repeating: .infinity)
        var greatest = SIMD8<Double>(repeating: -.infinity)
        var zeros = SIMD8<Int64>(repeating: 0)
        let raw = UnsafeRawPointer(values.baseAddress!)
        for index in stride(from: 0, to: whole, by: 8) {
            let value = raw.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self)
            sums += value
            least.replace(with: value, where: value .< least)
            greatest.replace(with: value, where: value .> greatest)
            zeros.replace(with: zeros &+ 1, where: value .== 0)
        }
        var sum = sums.sum()
        minimum = least.min()
        maximum = greatest.max()
        zero = Int(zeros.wrappedSum())
        for value in values[whole...] {
            sum += value
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            zero += value == 0 ? 1 : 0
        }
        mean = sum / Double(values.count)
        var deviations = SIMD8<Double>(repeating: 0)
        let center = SIMD8<Double>(repeating: mean)
        for index in stride(from: 0, to: whole, by: 8) {
            let deviation = raw.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self) - center
            deviations += deviation * deviation
        }
        squares = deviations.sum()
        for value in values[whole...] { squares += (value - mean) * (value - mean) }
    }

    mutating func add(_ other: Moments) {
        nan += other.nan
        infinite += other.infinite
        zero += other.zero
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        if other.finite > 0 {
            let total = Double(finite + other.finite)
            let difference = other.mean - mean
            squares += other.squares + difference * difference * Double(finite) * Double(other.finite) / total
            mean += difference * Double(other.finite) / total
            finite += other.finite
        }
    }
}

extension TensorView {
    /// Elements from one on as doubles, row by row: exact for every type up to 32 bits.
    package func copyDoubles(from first: Int, into target: UnsafeMutableBufferPointer<Double>) {
        let size = type.byteCount
        widen(
            UnsafeRawBufferPointer(rebasing: bytes[first * size..<(first + target.count) * size]), type, into: target)
    }
}

/// Elements as doubles; exact for every type up to 32 bits, rounded for 64-bit integers.
private func widen(
    _ bytes: UnsafeRawBufferPointer, _ type: ElementType, into target: UnsafeMutableBufferPointer<Double>
) {
    func each<Element>(_: Element.Type, _ convert: (Element) -> Double) {
        let elements = bytes.assumingMemoryBound(to: Element.self)
        for index in elements.indices { target[index] = convert(elements[index]) }
    }
    switch type {
    case .f64: each(Double.self) { $0 }
    case .f32: each(Float.self) { Double($0) }
    case .f16: each(UInt16.self) { Double(widenHalf($0)) }
    case .bf16: each(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .i8: each(Int8.self) { Double($0) }
    case .i16: each(Int16.self) { Double($0) }
    case .i32: each(Int32.self) { Double($0) }
    case .i64: each(Int64.self) { Double($0) }
    case .u8: each(UInt8.self) { Double($0) }
    case .u16: each(UInt16.self) { Double($0) }
    case .u32: each(UInt32.self) { Double($0) }
    case .u64: each(UInt64.self) { Double($0) }
    }
}

/// Binary16 to binary32 without the conversion instruction, which the baseline processor lacks, and without branches.
///
/// Normal numbers have their exponent rebased by 112; subnormal ones are their mantissa times 2^-24. (Multiplying by
/// 2^112 would do both, but at 150 cycles for each subnormal operand.)
@inline(__always)
private func widenHalf(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF)
    let subnormal = (Float(Int32(bitPattern: magnitude)) * Float(bitPattern: 0x3380_0000)).bitPattern
    let special: UInt32 = magnitude >= 0x7C00 ? 0x7F80_0000 : 0
    let normal = ((magnitude << 13) &+ 0x3800_0000) | special
    return Float(bitPattern: (magnitude < 0x0400 ? subnormal : normal) | UInt32(half & 0x8000) << 16)
}
