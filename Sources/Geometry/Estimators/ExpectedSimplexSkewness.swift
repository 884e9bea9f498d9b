#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from how far from parallel a patch's points lie, seen from their mean: the mean of |v_i||v_j| sin(v_i, v_j)
/// over that of |v_i||v_j| (Johnsson, Soneson and Fontes 2015, IEEE TPAMI 37, 196-202: version a, d = 1).
package struct ExpectedSimplexSkewness: Sendable, Equatable {
    /// Within 0..<1.
    package let skewness: Double
    /// Where a uniform ball has this skewness, linear between whole dimensions as in skdim.
    package let dimension: Double

    /// All pairs of points are used.
    ///
    /// - Parameter kernel: at least 3 points.
    /// - Throws: `GeometryError`.
    package init(_ kernel: PatchKernel) throws {
        let n = kernel.size
        guard n >= 3 else { throw GeometryError.tooFewPoints(found: n, needed: 3) }
        let skewness = try kernel.values.withUnsafeBufferPointer { values in
            try Self.skewness(values.baseAddress!, size: n)
        }
        guard let dimension = Self.dimension(ofSkewness: skewness) else {
            throw GeometryError.unresolved(estimator: "simplex skewness", points: n)
        }
        self.skewness = skewness
        self.dimension = dimension
    }

    private static func skewness(_ kernel: UnsafePointer<Double>, size n: Int) throws -> Double {
        let squares = (0..<n).map { kernel[$0 * (n + 1)] }
        // Σ_{i<j} |v_i||v_j| = ((Σ|v|)² - Σ|v|²) / 2
        var (lengths, total) = (0.0, 0.0)
        for square in squares {
            lengths += max(0, square).squareRoot()
            total += square
        }
        guard total.isFinite else { throw GeometryError.kernelNotFinite }
        guard total > 0 else { throw GeometryError.noVariance }
        var areas = 0.0
        squares.withUnsafeBufferPointer { squares in
            let raw = UnsafeRawPointer(squares.baseAddress!)
            for i in 1..<n {
                // |v_i|²|v_j|² - (v_i·v_j)²: abs as skdim takes it, for what rounding makes of parallel vectors.
                let row = kernel + i * n
                let rawRow = UnsafeRawPointer(row)
                var sums = SIMD4<Double>.zero
                var j = 0
                while j + 4 <= i {
                    let inner = rawRow.loadUnaligned(fromByteOffset: j * 8, as: SIMD4<Double>.self)
                    let others = raw.loadUnaligned(fromByteOffset: j * 8, as: SIMD4<Double>.self)
                    let determinant = others * squares[i] - inner * inner
                    sums += determinant.replacing(with: -determinant, where: determinant .< 0).squareRoot()
                    j += 4
                }
                areas += sums.sum()
                while j < i {
                    areas += abs(squares[j] * squares[i] - row[j] * row[j]).squareRoot()
                    j += 1
                }
            }
        }
        let skewness = areas / ((lengths * lengths - total) / 2)
        guard skewness.isFinite else { throw GeometryError.kernelNotFinite }
        return skewness
    }

    /// E(n) = Γ(n/2)² / (Γ((n+1)/2) Γ((n-1)/2)), n from 1, by E(n+2) = E(n) n² / (n² - 1).
    private static let curve: [Double] = {
        var values = [0, 2 / Double.pi, Double.pi / 4]
        for n in 2..<4096 {
            let square = Double(n * n)
            values.append(values[n - 1] * square / (square - 1))
        }
        return values
    }()

    /// The dimension of a uniform ball with this skewness; nil at 1 and above, which no dimension has.
    package static func dimension(ofSkewness skewness: Double) -> Double? {
        guard skewness >= 0, skewness < 1 else { return nil }
        guard skewness < curve[curve.count - 1] else {
            // -ln E(n) = 1/(2n) + 1/(2n²) + 5/(12n³) + …; here n > 4096 and the next term is below 1e-14.
            let target = -log(skewness)
            var n = 1 / (2 * target)
            for _ in 0..<20 {
                let value = (0.5 + (0.5 + 5 / (12 * n)) / n) / n
                let derivative = -(0.5 + (1 + 1.25 / n) / n) / (n * n)
                let next = n - (value - target) / derivative
                guard next.isFinite, next > 0 else { return nil }
                if abs(next - n) <= 1e-12 * n { return next < largestResolvedDimension ? next : nil }
                n = next
            }
            return n < largestResolvedDimension ? n : nil
        }
        var (low, high) = (0, curve.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if curve[middle] <= skewness { low = middle } else { high = middle }
        }
        return Double(low + 1) + (skewness - curve[low]) / (curve[low + 1] - curve[low])
    }
}
