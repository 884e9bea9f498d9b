import LinearAlgebra

/// Inner products of points about their mean: all that linear CKA and the participation ratio need of them.
package struct CentredKernel: Sendable {
    package let count: Int
    /// [count, count], symmetric, each row and column with sum 0.
    package let values: [Double]
    package let trace: Double

    package init(_ rows: CentredRows) {
        self.init(Gram.rows(rows.values, rows: rows.count, columns: rows.width), count: rows.count)
    }

    private init(_ values: [Double], count: Int) {
        self.count = count
        self.values = values
        trace = (0..<count).reduce(0) { $0 + values[$1 * (count + 1)] }
    }

    /// The kernel of some of the points, about their own mean.
    package func selecting(_ rows: [Int]) -> CentredKernel {
        let n = rows.count
        var part = [Double](repeating: 0, count: n * n)
        var means = [Double](repeating: 0, count: n)
        values.withUnsafeBufferPointer { values in
            part.withUnsafeMutableBufferPointer { part in
                for i in 0..<n {
                    let start = rows[i] * count
                    var sum = 0.0
                    for j in 0..<n {
                        let value = values[start + rows[j]]
                        part[i * n + j] = value
                        sum += value
                    }
                    means[i] = sum / Double(n)
                }
                let mean = means.reduce(0, +) / Double(n)
                for i in 0..<n {
                    let shift = mean - means[i]
                    for j in 0..<n { part[i * n + j] += shift - means[j] }
                }
            }
        }
        return CentredKernel(part, count: n)
    }

    /// Debiased participation ratio: how many dimensions of equal variance the points would fill.
    ///
    /// - Throws: `GeometryError`.
    package func debiasedParticipationRatio() throws -> Double {
        try values.withUnsafeBufferPointer {
            guard let start = $0.baseAddress else { throw GeometryError.tooFewPoints(found: 0, needed: 4) }
            return try DebiasedParticipationRatio(kernel: start, size: count).dimension()
        }
    }

    /// Unbiased HSIC with another kernel whose points are taken in some order; in their own if nil.
    func independence(from other: CentredKernel, order: [Int]? = nil) -> Double {
        let n = count
        var (products, diagonal) = (0.0, 0.0)
        values.withUnsafeBufferPointer { k in
            other.values.withUnsafeBufferPointer { l in
                for i in 0..<n {
                    let (start, place) = (i * n, order?[i] ?? i)
                    let line = place * n
                    var (a, b) = (SIMD4<Double>.zero, 0.0)
                    if let order {
                        order.withUnsafeBufferPointer { order in
                            for j in 0..<n { b += k[start + j] * l[line + order[j]] }
                        }
                    } else {
                        var j = 0
                        while j + 4 <= n {
                            let raw = UnsafeRawPointer(k.baseAddress! + start + j)
                            let x = raw.loadUnaligned(as: SIMD4<Double>.self)
                            let y = UnsafeRawPointer(l.baseAddress! + line + j).loadUnaligned(as: SIMD4<Double>.self)
                            a += x * y
                            j += 4
                        }
                        while j < n {
                            b += k[start + j] * l[line + j]
                            j += 1
                        }
                    }
                    products += a.sum() + b
                    diagonal += k[start + i] * l[line + place]
                }
            }
        }
        return UnbiasedHSIC.value(products: products, diagonal: diagonal, traces: trace * other.trace, count: n)
    }
}
