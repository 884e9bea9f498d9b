/// Products of one row with a stored weight: limited by memory bandwidth, so weights are widened as they are read.
package enum VectorProduct {
    /// y = W x for the rows `range` of W.
    ///
    /// - Parameters:
    ///   - weight: [out, depth] of `type` (f32, bf16 or f16), dense.
    ///   - x: [depth].
    ///   - y: [out]; only the entries in `range` are written.
    package static func multiply(
        _ weight: UnsafeRawPointer, _ type: ElementType, _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, range: Range<Int>, depth: Int
    ) {
        switch type {
        case .f32:
            let rows = weight.assumingMemoryBound(to: Float.self)
            for row in range { y[row] = VectorMath.dot(rows + row * depth, x, count: depth) }
        case .bf16:
            let rows = weight.assumingMemoryBound(to: UInt16.self)
            for row in range {
                y[row] = dot(rows + row * depth, x, count: depth) { words in
                    unsafeBitCast(SIMD16<UInt32>(truncatingIfNeeded: words) &<< 16, to: VectorMath.Wide.self)
                } narrow: {
                    Float(bitPattern: UInt32($0) << 16)
                }
            }
        case .f16:
            let rows = weight.assumingMemoryBound(to: UInt16.self)
            for row in range {
                var sum: Float = 0
                let start = rows + row * depth
                for index in 0..<depth { sum += Widening.float(half: start[index]) * x[index] }
                y[row] = sum
            }
        default:
            preconditionFailure("\(type.rawValue) weights are widened before they are used")
        }
    }

    /// y = x' W for some columns of W.
    ///
    /// - Parameters:
    ///   - weight: the first of the columns; [depth, stride] of `type`, of which `columns` are read.
    ///   - x: [depth].
    ///   - y: [columns].
    package static func multiplyColumns(
        _ weight: UnsafeRawPointer, _ type: ElementType, _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, columns: Int, depth: Int, stride: Int
    ) {
        y.update(repeating: 0, count: columns)
        for index in 0..<depth {
            let row = weight + index * stride * type.byteCount
            switch type {
            case .f32:
                VectorMath.add(
                    row.assumingMemoryBound(to: Float.self), times: x[index], to: y, count: columns)
            case .bf16:
                let words = row.assumingMemoryBound(to: UInt16.self)
                let factor = x[index]
                for column in 0..<columns { y[column] += factor * Float(bitPattern: UInt32(words[column]) << 16) }
            case .f16:
                let words = row.assumingMemoryBound(to: UInt16.self)
                let factor = x[index]
                for column in 0..<columns { y[column] += factor * Widening.float(half: words[column]) }
            default: preconditionFailure("\(type.rawValue) weights are widened before they are used")
            }
        }
    }

    @inline(__always)
    private static func dot(
        _ a: UnsafePointer<UInt16>, _ b: UnsafePointer<Float>, count: Int,
        widen: (SIMD16<UInt16>) -> VectorMath.Wide, narrow: (UInt16) -> Float
    ) -> Float {
        var s0 = VectorMath.Wide(repeating: 0)
        var s1 = s0
        var index = 0
        let raw = UnsafeRawPointer(a)
        while index + 32 <= count {
            let first = raw.loadUnaligned(fromByteOffset: index * 2, as: SIMD16<UInt16>.self)
            let second = raw.loadUnaligned(fromByteOffset: index * 2 + 32, as: SIMD16<UInt16>.self)
            s0 += widen(first) * VectorMath.load(b, index)
            s1 += widen(second) * VectorMath.load(b, index + 16)
            index += 32
        }
        var rest: Float = 0
        while index < count {
            rest += narrow(a[index]) * b[index]
            index += 1
        }
        return (s0 + s1).sum() + rest
    }
}
