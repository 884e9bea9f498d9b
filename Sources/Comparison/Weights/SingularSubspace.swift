internal import Checkpoints
import Control
internal import LinearAlgebra

/// The spans of a weight matrix's leading left and of its leading right singular vectors.
struct SingularSubspace: Sendable {
    /// The number of leading singular vectors on each side; less than asked for if the matrix has a lower rank.
    let dimension: Int
    /// The matrix's leading left singular vectors, one in each row, [dimension, the matrix's rows], orthonormal.
    let left: [Double]
    /// The matrix's leading right singular vectors, one in each row, [dimension, the matrix's columns], orthonormal.
    let right: [Double]

    /// Computes the leading singular vectors of a matrix, [rows, columns].
    ///
    /// - Parameter read: fills a buffer with the matrix's elements, row by row, from the element with the index `first`
    ///   on.
    /// - Throws: `LinearAlgebraError.notFinite`; `CancellationError`.
    init(
        rows: Int, columns: Int, dimension: Int, control: RunControl,
        read: (_ first: Int, _ target: UnsafeMutableBufferPointer<Double>) throws -> Void
    ) throws {
        let spectrum = try GramSpectrum(
            rows: rows, columns: columns, vectors: dimension, control: control, read: read)
        let size = min(rows, columns)
        let count = min(dimension, spectrum.eigenvalues.count { $0 > 0 })
        let own = Array(spectrum.vectors.prefix(count * size))
        // The other side's vectors are W v / s, or W' v / s.
        let isTall = rows >= columns
        let other = max(rows, columns)
        var images = [Double](repeating: 0, count: count * other)
        var row = [Double](repeating: 0, count: columns)
        for index in 0..<rows {
            if index % 256 == 0 { try control.checkCancellation() }
            try row.withUnsafeMutableBufferPointer { try read(index * columns, $0) }
            for k in 0..<count {
                if isTall {
                    var sum = SIMD8<Double>.zero
                    let whole = columns / 8 * 8
                    for column in stride(from: 0, to: whole, by: 8) {
                        for lane in 0..<8 { sum[lane] += row[column + lane] * own[k * size + column + lane] }
                    }
                    var total = sum.sum()
                    for column in whole..<columns { total += row[column] * own[k * size + column] }
                    images[k * other + index] = total
                } else {
                    let factor = own[k * size + index]
                    for column in 0..<columns { images[k * other + column] += factor * row[column] }
                }
            }
        }
        for k in 0..<count {
            let scale = 1 / spectrum.eigenvalues[k].squareRoot()
            for index in 0..<other { images[k * other + index] *= scale }
        }
        self.dimension = count
        (left, right) = isTall ? (images, own) : (own, images)
    }

    /// Returns how far the spans of two matrices' first k singular vectors U_A and U_B overlap, |U_A' U_B|_F² / k, for
    /// left and right vectors: 1 for the same span, k / n on average for random ones in n dimensions.
    ///
    /// - Returns: nil if either matrix has no singular vectors, being 0.
    func overlap(_ other: SingularSubspace) -> (left: Double, right: Double)? {
        let k = min(dimension, other.dimension)
        guard k > 0 else { return nil }
        func share(_ a: [Double], _ b: [Double], width: Int) -> Double {
            var total = 0.0
            for one in 0..<k {
                for two in 0..<k {
                    var product = 0.0
                    for index in 0..<width { product += a[one * width + index] * b[two * width + index] }
                    total += product * product
                }
            }
            return min(1, total / Double(k))
        }
        return (
            share(left, other.left, width: left.count / dimension),
            share(right, other.right, width: right.count / dimension)
        )
    }
}
