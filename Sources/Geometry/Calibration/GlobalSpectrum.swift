package import Control
import LinearAlgebra
import Statistics

/// The spectrum of the covariance of a whole set, and its debiased participation ratio.
package struct GlobalSpectrum: Sendable {
    /// Of the covariance with divisor N - 1, largest first; min(N, D) of them.
    package let variances: [Double]
    package let debiased: DebiasedParticipationRatio
    package let linear: LinearDimensions

    /// Variances above 1e-12 of the largest: below it lies the rounding of coordinates in float32.
    package var rank: Int { variances.count { $0 > 1e-12 * (variances.first ?? 0) } }

    package var d99: Double { Double(linear.d99) }

    /// Points that were measured.
    package let count: Int

    /// Of more points a seeded sample is measured, whatever their coordinates: an eigenproblem takes time with the cube,
    /// and calibration must see as many.
    package static let sizeLimit = 2048

    /// - Throws: `GeometryError`; `LinearAlgebraError` from LAPACK; `CancellationError`.
    package init(_ set: PointSet, control: RunControl) throws {
        var set = set
        if set.count > Self.sizeLimit {
            var random = SeededRandom(seed: 0)
            set = set.subset(random.sample(Self.sizeLimit, of: set.count).map(Int32.init))
        }
        let (n, d) = (set.count, set.width)
        count = n
        try control.checkCancellation()
        var centred = [Double](repeating: 0, count: n * d)
        for row in 0..<n {
            for column in 0..<d {
                centred[row * d + column] = Double(set.points.values[row * d + column]) - set.mean[column]
            }
        }
        // The smaller of X'X and XX' has the same eigenvalues other than 0.
        let isWide = n < d
        let product =
            isWide ? Gram.rows(centred, rows: n, columns: d) : Gram.columns(centred, rows: n, columns: d)
        let size = min(n, d)
        try control.checkCancellation()
        let eigenvalues = try SymmetricEigen(of: product, size: size, vectors: false).values.map { max(0, $0) }
        guard let largest = eigenvalues.first, largest > 0 else { throw GeometryError.noVariance }
        // Σ K_ii² and Σ K_ij² = Σ λ², whichever side the product was taken of.
        var squares = 0.0
        for row in 0..<n {
            var norm = 0.0
            for column in 0..<d { norm += centred[row * d + column] * centred[row * d + column] }
            squares += norm * norm
        }
        debiased = try DebiasedParticipationRatio(
            trace: eigenvalues.reduce(0, +), sumOfSquares: eigenvalues.reduce(0) { $0 + $1 * $1 },
            diagonalSquares: squares, count: n)
        variances = eigenvalues.map { $0 / Double(n - 1) }
        linear = try LinearDimensions(eigenvalues: eigenvalues)
    }
}
