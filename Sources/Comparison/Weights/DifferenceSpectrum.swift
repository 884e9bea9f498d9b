package import Control
package import Geometry
package import LinearAlgebra
import Models
internal import Checkpoints

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The singular values of a weight matrix's change between two checkpoints, dW = B - A, and how far the leading
/// singular vectors turned.
///
/// The null is a matrix of independent Gaussian numbers with the shape and the norm of dW.
package struct DifferenceSpectrum: Sendable {
    /// The singular values of the change dW, largest first; those below √(n 2^-52) of the largest are 0, with n the
    /// smaller side.
    package let singularValues: [Double]
    /// The dimensions that the singular values of the change dW give; nil if all of them are 0.
    package let dimensions: LinearDimensions?
    /// The singular values of a Gaussian matrix of dW's shape, scaled to the Frobenius norm of dW.
    package let nullValues: [Double]
    /// The dimensions that the singular values of a Gaussian matrix of dW's shape give.
    package let nullDimensions: LinearDimensions
    /// The largest singular value of dW that rounding A and B to the types in which they fit gives: √(max row sum of
    /// ulp²/12) + the same of columns (Bandeira and van Handel 2016, without their logarithmic term), times
    /// 1 + 3 n^(-2/3) for smaller side n: some four times the spread of the largest value of noise (Johnstone 2001).
    package let roundingEdge: Double
    /// The largest singular value of Gaussian noise whose median singular value is that of dW, times 1 + 3 n^(-2/3) for
    /// its spread, with n the smaller side.
    package let bulkEdge: Double
    /// The number of singular values of dW above what rounding of the weights and of the computation gives.
    package let rank: Int
    /// The number of singular values of dW above what rounding gives and above `bulkEdge`, the largest that noise
    /// gives.
    package let rankAboveBulk: Int
    /// The overlap of the spans of the first k singular vectors of the matrices A and B; nil if it was not asked for,
    /// or if a matrix is 0.
    package let overlap: Overlap?

    package struct Overlap: Sendable {
        /// The number k of leading singular vectors of the matrix A whose spans are compared with those of B.
        package let dimension: Int
        /// The overlap of the spans of A's and B's first k left singular vectors: 1 if they are the same, 0 if
        /// orthogonal.
        package let left: Double
        /// The overlap of the spans of A's and B's first k right singular vectors: 1 if they are the same, 0 if
        /// orthogonal.
        package let right: Double
        /// The overlaps of A's singular vectors with those of A plus Gaussian noise of the norm of B - A; nil if A
        /// equals B.
        package let null: (left: Double, right: Double)?
    }

    /// Decomposes the change of a weight matrix.
    ///
    /// - Parameters:
    ///   - a: the matrix before the change, [rows, columns], finite.
    ///   - b: the matrix after the change, [rows, columns], finite.
    ///   - grains: the coarsest types (such as bf16) in which the values of a and of b fit.
    ///   - gaussian: the spectrum of a standard Gaussian matrix of a's shape or of its transpose's.
    ///   - top: the number of singular vectors whose spans are compared; 0 compares none.
    /// - Throws: `LinearAlgebraError`; `CancellationError`.
    package init(
        _ a: TensorView, _ b: TensorView, grains: (a: ElementType, b: ElementType), gaussian: GramSpectrum, top: Int,
        seed: UInt64, control: RunControl
    ) throws {
        let (rows, columns) = (a.shape[0], a.shape[1])
        let size = min(rows, columns)
        var scratch: [Double] = []
        let spectrum = try GramSpectrum(rows: rows, columns: columns, control: control) { first, target in
            if scratch.count < target.count { scratch = [Double](repeating: 0, count: target.count) }
            b.copyDoubles(from: first, into: target)
            scratch.withUnsafeMutableBufferPointer {
                let other = UnsafeMutableBufferPointer(rebasing: $0[0..<target.count])
                a.copyDoubles(from: first, into: other)
                for index in target.indices { target[index] -= other[index] }
            }
        }
        let values = spectrum.eigenvalues.map { $0.squareRoot() }
        singularValues = values
        dimensions = (values.first ?? 0) > 0 ? try LinearDimensions(eigenvalues: spectrum.eigenvalues) : nil
        let norm = spectrum.eigenvalues.reduce(0, +).squareRoot()
        let gaussianNorm = gaussian.eigenvalues.reduce(0, +).squareRoot()
        let standard = gaussian.eigenvalues.map { $0.squareRoot() }
        nullValues = standard.map { $0 * norm / gaussianNorm }
        nullDimensions = try LinearDimensions(eigenvalues: gaussian.eigenvalues)

        let allowance = 1 + 3 * Self.power(Double(size), -2.0 / 3)
        roundingEdge = try Self.roundingEdge(a, b, grains, control) * allowance
        let median = standard.isEmpty ? 0 : standard[standard.count / 2]
        bulkEdge = median > 0 ? standard[0] * values[values.count / 2] / median * allowance : 0
        // The Gram matrix's own rounding error does not count as rank either.
        let resolved = 2 * (Double(size) * Double.ulpOfOne).squareRoot() * (values.first ?? 0)
        let floor = max(roundingEdge, resolved)
        let bulk = max(floor, bulkEdge)
        rank = values.count { $0 > floor }
        rankAboveBulk = values.count { $0 > bulk }
        overlap = top > 0 ? try Self.overlap(a, b, norm: norm, top: top, seed: seed, control) : nil
    }

    /// Returns x^y for x > 0, else 0.
    private static func power(_ x: Double, _ y: Double) -> Double { x > 0 ? exp(y * log(x)) : 0 }

    /// Returns √(max over rows of Σ ulp²/12) plus the same over columns, where the sum is over the row's elements in
    /// both matrices and ulp is the unit of an element's last place.
    private static func roundingEdge(
        _ a: TensorView, _ b: TensorView, _ grains: (a: ElementType, b: ElementType), _ control: RunControl
    ) throws -> Double {
        let (rows, columns) = (a.shape[0], a.shape[1])
        var byColumn = [Double](repeating: 0, count: columns)
        var byRow = 0.0
        var row = [Double](repeating: 0, count: columns)
        let sides = [(a, grains.a), (b, grains.b)].filter { $0.1.isFloatingPoint }
        for index in 0..<rows {
            if index % 256 == 0 { try control.checkCancellation() }
            var sum = 0.0
            for (view, grain) in sides {
                let unit = Double(sign: .plus, exponent: -grain.digits, significand: 1)
                row.withUnsafeMutableBufferPointer { row in
                    view.copyDoubles(from: index * columns, into: row)
                    for column in 0..<columns {
                        let power = Double(bitPattern: row[column].bitPattern & 0x7FF0_0000_0000_0000) * unit
                        row[column] = power * power
                    }
                }
                for column in 0..<columns {
                    byColumn[column] += row[column]
                    sum += row[column]
                }
            }
            byRow = max(byRow, sum)
        }
        return (byRow / 12).squareRoot() + ((byColumn.max() ?? 0) / 12).squareRoot()
    }

    private static func overlap(
        _ a: TensorView, _ b: TensorView, norm: Double, top: Int, seed: UInt64, _ control: RunControl
    ) throws -> Overlap? {
        let (rows, columns) = (a.shape[0], a.shape[1])
        let k = min(top, rows, columns)
        func subspace(_ read: (Int, UnsafeMutableBufferPointer<Double>) -> Void) throws -> SingularSubspace {
            try SingularSubspace(rows: rows, columns: columns, dimension: k, control: control, read: read)
        }
        let own = try subspace { a.copyDoubles(from: $0, into: $1) }
        guard let found = own.overlap(try subspace { b.copyDoubles(from: $0, into: $1) }) else { return nil }
        guard norm > 0 else {
            return Overlap(dimension: own.dimension, left: found.left, right: found.right, null: nil)
        }
        let noise = GaussianField(seed: seed, columns: columns)
        let scale = norm / Double(rows * columns).squareRoot()
        let null = try subspace { first, target in
            a.copyDoubles(from: first, into: target)
            noise.add(to: target, from: first, scale: scale)
        }
        return Overlap(dimension: own.dimension, left: found.left, right: found.right, null: own.overlap(null))
    }
}
