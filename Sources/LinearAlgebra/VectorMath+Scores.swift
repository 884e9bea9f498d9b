/// What choosing among scores needs: scans of a whole vocabulary at memory speed.
extension VectorMath {
    /// Whether no entry is NaN or infinite.
    package static func isFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
        // 0 · x is 0 for numbers and NaN for all else.
        var sums = Wide(repeating: 0)
        var index = 0
        while index + 16 <= count {
            sums += load(x, index) * 0
            index += 16
        }
        var isFinite = sums.sum() == 0
        while index < count {
            isFinite = isFinite && x[index].isFinite
            index += 1
        }
        return isFinite
    }

    /// x /= divisor.
    package static func divide(_ x: UnsafeMutablePointer<Float>, by divisor: Float, count: Int) {
        for index in 0..<count { x[index] /= divisor }
    }

    /// The least of `count` > 0 entries; NaN is passed over.
    package static func minimum(_ x: UnsafePointer<Float>, count: Int) -> Float {
        var wide = Wide(repeating: .infinity)
        var index = 0
        while index + 16 <= count {
            let value = load(x, index)
            wide.replace(with: value, where: value .< wide)
            index += 16
        }
        var least = wide.min()
        while index < count {
            if x[index] < least { least = x[index] }
            index += 1
        }
        return least
    }

    /// result = e^(x - shift).
    package static func exp(
        _ x: UnsafePointer<Float>, minus shift: Float, into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        var index = 0
        while index + 16 <= count {
            store(exp(load(x, index) - shift), result, index)
            index += 16
        }
        if index < count {
            var tail = Wide(repeating: -.infinity)
            for entry in index..<count { tail[entry - index] = x[entry] - shift }
            let values = exp(tail)
            for entry in index..<count { result[entry] = values[entry - index] }
        }
    }

    /// Σ xᵢ in float64: 16 sums, added up in a fixed order.
    package static func sum(_ x: UnsafePointer<Float>, count: Int) -> Double {
        var sums = SIMD16<Double>(repeating: 0)
        var index = 0
        while index + 16 <= count {
            sums += SIMD16<Double>(load(x, index))
            index += 16
        }
        var total = sums.sum()
        while index < count {
            total += Double(x[index])
            index += 1
        }
        return total
    }

    /// How many entries exceed `bound`.
    package static func count(_ x: UnsafePointer<Float>, above bound: Float, count: Int) -> Int {
        var found = SIMD16<Int32>(repeating: 0)
        var index = 0
        while index + 16 <= count {
            found.replace(with: found &+ 1, where: load(x, index) .> bound)
            index += 16
        }
        var total = Int(found.wrappedSum())
        while index < count {
            if x[index] > bound { total += 1 }
            index += 1
        }
        return total
    }

    /// Calls `body` with the index of every entry that is at least `bound`, ascending.
    @inline(__always)
    package static func forEach(
        _ x: UnsafePointer<Float>, from bound: Float, count: Int, _ body: (Int) -> Void
    ) {
        var index = 0
        while index + 16 <= count {
            if any(load(x, index) .>= bound) {
                for entry in index..<index + 16 where x[entry] >= bound { body(entry) }
            }
            index += 16
        }
        while index < count {
            if x[index] >= bound { body(index) }
            index += 1
        }
    }
}
