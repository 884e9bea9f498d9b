#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Elementwise arithmetic and reductions over rows of floats, in a fixed order of operations.
package enum VectorMath {
    package typealias Wide = SIMD16<Float>

    @inline(__always)
    static func load(_ pointer: UnsafePointer<Float>, _ index: Int) -> Wide {
        UnsafeRawPointer(pointer + index).loadUnaligned(as: Wide.self)
    }

    @inline(__always)
    static func store(_ value: Wide, _ pointer: UnsafeMutablePointer<Float>, _ index: Int) {
        UnsafeMutableRawPointer(pointer + index).storeBytes(of: value, as: Wide.self)
    }

    /// e^x = p · 2^n by range reduction with the magic number 1.5·2^23 and a degree-6 polynomial (Cephes `expf`):
    /// `rounded()` and conversions to integers do not vectorise. `shifted` carries n in its low bits.
    @inline(__always)
    private static func reduce(_ x: Wide) -> (p: Wide, shifted: Wide) {
        let shifted = Wide(repeating: 12_582_912).addingProduct(x, 1.44269504088896341)
        let n = shifted - 12_582_912
        let r = x.addingProduct(n, -0.693359375).addingProduct(n, 2.12194440e-4)
        var p = Wide(repeating: 1.3981999507e-3).addingProduct(r, 1.9875691500e-4)
        p = Wide(repeating: 8.3334519073e-3).addingProduct(p, r)
        p = Wide(repeating: 4.1665795894e-2).addingProduct(p, r)
        p = Wide(repeating: 1.6666665459e-1).addingProduct(p, r)
        p = Wide(repeating: 5.0000001201e-1).addingProduct(p, r)
        return ((r + 1).addingProduct(p, r * r), shifted)
    }

    /// e^x to about 2 units in the last place; 0 below -87.3, e^88.7 above 88.7; NaN stays NaN.
    @inline(__always)
    static func exp(_ x: Wide) -> Wide {
        let low = Wide(repeating: -87.33654)
        let high = Wide(repeating: 88.72283)
        let clamped = x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
        let (p, shifted) = reduce(clamped)
        // 2^n through the exponent bits, in two halves so that n = 128 does not overflow.
        let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- 0x4B40_0000
        let half = bits &>> 1
        let first = unsafeBitCast((half &+ 127) &<< 23, to: Wide.self)
        let second = unsafeBitCast((bits &- half &+ 127) &<< 23, to: Wide.self)
        let result = (p * first * second).replacing(with: 0, where: x .< low)
        return result.replacing(with: x, where: x .!= x)
    }

    /// As `exp` for x <= 0, with fewer steps; 0 below -87.
    @inline(__always)
    private static func expOfNonPositive(_ x: Wide) -> Wide {
        let low = Wide(repeating: -87)
        let (p, shifted) = reduce(x.replacing(with: low, where: x .< low))
        let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- (0x4B40_0000 - 127)
        return (p * unsafeBitCast(bits &<< 23, to: Wide.self)).replacing(with: 0, where: x .< low)
    }

    /// The largest of `count` > 0 entries; NaN is passed over.
    package static func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
        var wide = Wide(repeating: -.infinity)
        var index = 0
        while index + 16 <= count {
            let value = load(x, index)
            wide.replace(with: value, where: value .> wide)
            index += 16
        }
        var peak = wide.max()
        while index < count {
            if x[index] > peak { peak = x[index] }
            index += 1
        }
        return peak
    }

    private static let laneNumbers = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

    /// Replaces scores by softmax(scale · scores) over the first `count` entries, and the rest up to `width` by 0.
    package static func softmax(_ row: UnsafeMutablePointer<Float>, count: Int, width: Int, scale: Float) {
        let inverse = softmaxNumerators(row, count: count, width: width, scale: scale)
        multiply(row, by: inverse, count: count)
    }

    /// Replaces scores by e^(scale · (score - largest)) over the first `count` entries, and the rest up to `width` by 0.
    ///
    /// - Returns: 1 / their sum, which is what a sum weighted by them still has to be multiplied with.
    package static func softmaxNumerators(
        _ row: UnsafeMutablePointer<Float>, count: Int, width: Int, scale: Float
    ) -> Float {
        let shift = maximum(row, count: count) * scale
        let offset = Wide(repeating: shift)
        let factor = Wide(repeating: scale)
        var sums = Wide(repeating: 0)
        var index = 0
        while index + 16 <= count {
            let value = expOfNonPositive((-offset).addingProduct(load(row, index), factor))
            store(value, row, index)
            sums += value
            index += 16
        }
        if index < count, index + 16 <= width {
            // The lanes behind the end become 0, which is what the rest of the row is to be.
            let x = (-offset).addingProduct(load(row, index), factor)
            let value = expOfNonPositive(x).replacing(with: 0, where: laneNumbers .>= Int32(count - index))
            store(value, row, index)
            sums += value
            (row + index + 16).update(repeating: 0, count: width - index - 16)
            return 1 / sums.sum()
        }
        if index < count {
            var x = Wide(repeating: -.infinity)
            for tail in index..<count { x[tail - index] = (-shift).addingProduct(row[tail], scale) }
            let value = expOfNonPositive(x)
            for tail in index..<count { row[tail] = value[tail - index] }
            for tail in index..<count { sums[tail - index] += value[tail - index] }
        }
        if width > count { (row + count).update(repeating: 0, count: width - count) }
        return 1 / sums.sum()
    }

    /// x <- factor · x.
    package static func multiply(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        var index = 0
        while index + 16 <= count {
            store(load(x, index) * factor, x, index)
            index += 16
        }
        while index < count {
            x[index] *= factor
            index += 1
        }
    }

    /// Root-mean-square norm: x / sqrt(mean(x²) + ε) · weight. (Zhang and Sennrich 2019, eq. 4.)
    package static func rmsNorm(
        _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        let scale = inverseRoot(dot(x, x, count: count) / Float(count) + epsilon)
        for index in 0..<count { result[index] = weight[index] * (x[index] * scale) }
    }

    /// 1 / √x; NaN where the squares have overflowed, so that a row that is too long does not become zeros.
    static func inverseRoot(_ x: Float) -> Float { x.isFinite ? 1 / x.squareRoot() : .nan }

    /// Σ aᵢ bᵢ, with 64 partial sums added up in a fixed order.
    package static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        var s0 = Wide(repeating: 0)
        var s1 = s0
        var s2 = s0
        var s3 = s0
        var index = 0
        while index + 64 <= count {
            s0 += load(a, index) * load(b, index)
            s1 += load(a, index + 16) * load(b, index + 16)
            s2 += load(a, index + 32) * load(b, index + 32)
            s3 += load(a, index + 48) * load(b, index + 48)
            index += 64
        }
        while index + 16 <= count {
            s0 += load(a, index) * load(b, index)
            index += 16
        }
        var rest: Float = 0
        while index < count {
            rest += a[index] * b[index]
            index += 1
        }
        return ((s0 + s1) + (s2 + s3)).sum() + rest
    }

    /// y += x.
    package static func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count { y[index] += x[index] }
    }

    /// y += factor · x.
    package static func add(
        _ x: UnsafePointer<Float>, times factor: Float, to y: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { y[index] += factor * x[index] }
    }

    /// ln Σ e^xᵢ, in float64 around the largest entry.
    package static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Double {
        let peak = maximum(x, count: count)
        guard peak.isFinite else { return Double(peak) }
        var total = 0.0
        var index = 0
        while index + 16 <= count {
            total += Double(exp(load(x, index) - peak).sum())
            index += 16
        }
        if index < count {
            var tail = Wide(repeating: -.infinity)
            for entry in index..<count { tail[entry - index] = x[entry] - peak }
            total += Double(exp(tail).sum())
        }
        return Double(peak) + log(total)
    }
}
