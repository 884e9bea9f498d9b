package import Control
import Statistics

/// Squared singular values of a matrix of any size whose smaller side is moderate, in float64: eigenvalues of the Gram
/// matrix on that side.
///
/// The matrix is read in blocks, and never held as a whole. Singular values below some 1e-8 of the largest are lost in
/// the squares.
package struct GramSpectrum: Sendable, Equatable {
    /// Largest first, min(rows, columns) of them. Those below size · 2^-52 of the largest are rounding, and are 0.
    package let eigenvalues: [Double]
    /// [k, smaller side]: row i belongs to `eigenvalues[i]`, a singular vector of that side; empty if none was asked for.
    package let vectors: [Double]

    /// Numbers of a block.
    private static let blockCount = 1 << 20

    /// - Parameters:
    ///   - vectors: how many singular vectors of the smaller side are wanted.
    ///   - read: fills a buffer with the matrix's elements from one on, row by row.
    /// - Throws: `LinearAlgebraError.notFinite` if there is a NaN or an infinity; `CancellationError`; what `read` throws.
    package init(
        rows: Int, columns: Int, vectors wanted: Int = 0, control: RunControl,
        read: (_ first: Int, _ target: UnsafeMutableBufferPointer<Double>) throws -> Void
    ) throws {
        let size = min(rows, columns)
        let other = max(rows, columns)
        let isTall = rows >= columns
        let step = min(other, max(Self.blockCount / max(size, 1), 64))
        let block = UnsafeMutableBufferPointer<Double>.allocate(capacity: size * step)
        defer { block.deallocate() }
        var gram = [Double](repeating: 0, count: size * size)
        for start in stride(from: 0, to: other, by: step) {
            try control.checkCancellation()
            let count = min(step, other - start)
            let part = UnsafeMutableBufferPointer(rebasing: block[0..<size * count])
            if isTall {
                try read(start * columns, part)
            } else {
                for row in 0..<rows {
                    try read(row * columns + start, .init(rebasing: part[row * count..<(row + 1) * count]))
                }
            }
            Gram.add(UnsafeBufferPointer(part), inner: count, transposed: !isTall, to: &gram, size: size)
        }
        // A column's sum of squares is finite only if all of it is.
        guard (0..<size).allSatisfy({ gram[$0 * size + $0].isFinite }) else { throw LinearAlgebraError.notFinite }
        try control.checkCancellation()
        let eigen = try SymmetricEigen(of: gram, size: size, vectors: wanted > 0)
        let values = eigen.values
        vectors = Array(eigen.vectors.prefix(min(wanted, size) * size))
        let rounding = Double(size) * Double.ulpOfOne * (values.first ?? 0)
        eigenvalues = values.map { $0 > rounding ? $0 : 0 }
    }

    /// That of independent standard normal numbers, drawn with a seed; the shape may lie on either side.
    package init(gaussianRows rows: Int, columns: Int, seed: UInt64, control: RunControl) throws {
        let (tall, wide) = (max(rows, columns), min(rows, columns))
        var random = SeededRandom(seed: seed, stream: tall, wide)
        try self.init(rows: tall, columns: wide, control: control) { _, target in
            let numbers = random.normal(count: target.count)
            _ = target.update(fromContentsOf: numbers)
        }
    }
}
