/// The participation ratio (tr C)² / tr C² of a covariance C, free of the bias that N points bring: numerator and
/// denominator are sums over disjoint points, so each has the value that it would have at any N (Chun et al. 2026, ICLR,
/// "row"; the denominator is the unbiased HSIC of the kernel with itself up to a factor, Song et al. 2012).
///
/// From the centred kernel K [n, n], T = tr K, S = Σ K_ii², Q = Σ K_ij²:
/// (T² - nS/(n-2) + (2Q - T²)/((n-1)(n-2))) / (Q - nS/(n-2) + T²/((n-1)(n-2))).
///
/// Both are means over four different points, up to one factor: of |x1 - x2|² |x3 - x4|² and of ((x1 - x2)·(x3 - x4))².
/// So neither falls below 0 and the quotient not below 1; the denominator is 0 for points that are all equally far apart.
package struct DebiasedParticipationRatio: Sendable, Equatable {
    /// Both divided by T², so that patches of any scale can be pooled.
    package let numerator: Double
    package let denominator: Double
    package let count: Int

    /// - Parameters:
    ///   - kernel: [n, n] inner products about the mean, contiguous.
    ///   - n: points, at least 4.
    /// - Throws: `GeometryError` for too few points, NaN or Inf, and points that are all the same.
    package init(kernel: UnsafePointer<Double>, size n: Int) throws {
        guard n >= 4 else { throw GeometryError.tooFewPoints(found: n, needed: 4) }
        var (trace, diagonal) = (0.0, 0.0)
        for index in 0..<n {
            let value = kernel[index * (n + 1)]
            trace += value
            diagonal += value * value
        }
        try self.init(
            trace: trace, sumOfSquares: Self.sumOfSquares(kernel, count: n * n), diagonalSquares: diagonal, count: n)
    }

    /// From sums over a centred kernel that need not be formed.
    ///
    /// - Parameters:
    ///   - trace: T = Σ K_ii, the sum of its eigenvalues.
    ///   - total: Q = Σ K_ij², the sum of their squares.
    ///   - diagonal: S = Σ K_ii².
    ///   - n: points, at least 4.
    /// - Throws: `GeometryError`.
    package init(trace: Double, sumOfSquares total: Double, diagonalSquares diagonal: Double, count n: Int) throws {
        guard n >= 4 else { throw GeometryError.tooFewPoints(found: n, needed: 4) }
        guard trace.isFinite, total.isFinite else { throw GeometryError.kernelNotFinite }
        guard trace > 0 else { throw GeometryError.noVariance }
        let size = Double(n)
        let s = diagonal / (trace * trace)
        let q = total / (trace * trace)
        guard s.isFinite, q.isFinite else { throw GeometryError.kernelNotFinite }
        let pairs = (size - 1) * (size - 2)
        numerator = 1 - size * s / (size - 2) + (2 * q - 1) / pairs
        denominator = UnbiasedHSIC.value(products: q, diagonal: s, traces: 1, count: n)
        count = n
    }

    /// - Throws: `GeometryError`.
    package init(_ kernel: PatchKernel) throws {
        guard kernel.size >= 4 else { throw GeometryError.tooFewPoints(found: kernel.size, needed: 4) }
        self = try kernel.values.withUnsafeBufferPointer { values in
            try DebiasedParticipationRatio(kernel: values.baseAddress!, size: kernel.size)
        }
    }

    /// - Throws: `GeometryError.unresolved` for points that are all but equally far apart: no number of dimensions is too
    ///   large for them.
    package func dimension() throws -> Double { try Self.quotient(numerator, denominator, count: count) }

    /// Σ numerators / Σ denominators of many patches, which unlike a mean of quotients has no bias from a patch's few
    /// points.
    ///
    /// - Throws: `GeometryError`.
    package static func pooled(_ patches: some Sequence<DebiasedParticipationRatio>) throws -> Double {
        var (numerator, denominator, count) = (0.0, 0.0, 0)
        for patch in patches {
            numerator += patch.numerator
            denominator += patch.denominator
            count = patch.count
        }
        guard count > 0 else { throw GeometryError.tooFewPoints(found: 0, needed: 4) }
        return try quotient(numerator, denominator, count: count)
    }

    private static func quotient(_ numerator: Double, _ denominator: Double, count: Int) throws -> Double {
        guard denominator > 0, numerator < largestResolvedDimension * denominator else {
            throw GeometryError.unresolved(estimator: "the debiased participation ratio", points: count)
        }
        return numerator / denominator
    }

    private static func sumOfSquares(_ values: UnsafePointer<Double>, count: Int) -> Double {
        let raw = UnsafeRawPointer(values)
        var (a, b, c, d) = (SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero)
        var index = 0
        while index + 16 <= count {
            let bytes = index * 8
            let x = raw.loadUnaligned(fromByteOffset: bytes, as: SIMD4<Double>.self)
            let y = raw.loadUnaligned(fromByteOffset: bytes + 32, as: SIMD4<Double>.self)
            let z = raw.loadUnaligned(fromByteOffset: bytes + 64, as: SIMD4<Double>.self)
            let w = raw.loadUnaligned(fromByteOffset: bytes + 96, as: SIMD4<Double>.self)
            a += x * x
            b += y * y
            c += z * z
            d += w * w
            index += 16
        }
        var sum = ((a + b) + (c + d)).sum()
        while index < count {
            sum += values[index] * values[index]
            index += 1
        }
        return sum
    }
}
