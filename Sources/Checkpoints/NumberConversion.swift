internal import LinearAlgebra

/// Stored numbers of any type as f32, rounded to nearest.
enum NumberConversion {
    /// Converts as many elements as `result` has room for; NaN and infinities stay what they are.
    ///
    /// - Parameter source: little-endian, aligned for the type.
    /// - Returns: the first element that is finite but beyond the range of f32; nil if there is none.
    static func convert(
        _ source: UnsafeRawPointer, _ type: ElementType, into result: UnsafeMutableBufferPointer<Float>
    ) -> Int? {
        guard let target = result.baseAddress else { return nil }
        func each<Number: BinaryInteger>(_: Number.Type) {
            let numbers = source.assumingMemoryBound(to: Number.self)
            for index in result.indices { target[index] = Float(numbers[index]) }
        }
        switch type {
        case .f32, .f16, .bf16: Widening.widen(source, type, into: target, count: result.count)
        case .f64:
            Widening.widen(source, type, into: target, count: result.count)
            let numbers = source.assumingMemoryBound(to: Double.self)
            return result.indices.first { target[$0].isInfinite && numbers[$0].isFinite }
        case .i8: each(Int8.self)
        case .i16: each(Int16.self)
        case .i32: each(Int32.self)
        case .i64: each(Int64.self)
        case .u8: each(UInt8.self)
        case .u16: each(UInt16.self)
        case .u32: each(UInt32.self)
        case .u64: each(UInt64.self)
        }
        return nil
    }
}
