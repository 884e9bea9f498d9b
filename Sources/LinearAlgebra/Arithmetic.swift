/// Sums of products in float64, eight at a time in a fixed order.
package enum Arithmetic {
    /// Σ aᵢ bᵢ, of `b.count` numbers of `a` from one on.
    package static func dot(_ a: [Double], _ start: Int, _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                dot(UnsafeBufferPointer(rebasing: a[start..<start + b.count]), b)
            }
        }
    }

    package static func dot(_ a: UnsafeBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>) -> Double {
        guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
        var sums = SIMD8<Double>(repeating: 0)
        var more = sums
        var index = 0
        while index + 16 <= b.count {
            sums += load(x, index) * load(y, index)
            more += load(x, index + 8) * load(y, index + 8)
            index += 16
        }
        var total = (sums + more).sum()
        while index < b.count {
            total += x[index] * y[index]
            index += 1
        }
        return total
    }

    private static func load(_ pointer: UnsafePointer<Double>, _ index: Int) -> SIMD8<Double> {
        UnsafeRawPointer(pointer + index).loadUnaligned(as: SIMD8<Double>.self)
    }

    /// y += factor · x, with `y.count` numbers of `x` from one on.
    package static func add(_ x: [Double], _ start: Int, times factor: Double, to y: inout [Double]) {
        x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                for index in 0..<y.count { y[index] += factor * x[start + index] }
            }
        }
    }

    package static func norm(_ x: [Double]) -> Double { dot(x, 0, x).squareRoot() }
}
