package import Geometry
package import LinearAlgebra
package import Statistics

/// A weight matrix's singular values and what they say by themselves.
package struct MatrixSpectrum: Sendable {
    /// Largest first.
    package let singularValues: [Double]
    package let dimensions: LinearDimensions
    /// Of the eigenvalues, the squared singular values; nil where they are too few.
    private let tail: PowerLawTail?

    /// - Throws: `GeometryError` if all are 0.
    package init(_ spectrum: GramSpectrum) throws {
        singularValues = spectrum.eigenvalues.map { $0.squareRoot() }
        dimensions = try LinearDimensions(eigenvalues: spectrum.eigenvalues)
        tail = PowerLawTail(spectrum.eigenvalues)
    }

    /// Frobenius norm.
    package var norm: Double { singularValues.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// The exponent of the tail of the eigenvalues with its 95 % interval; nil where they are too few.
    package var tailExponent: Estimate? {
        tail.map { tail in
            let half = 1.96 * tail.standardError
            return Estimate(tail.alpha, low: tail.alpha - half, high: tail.alpha + half)
        }
    }

    /// The number of eigenvalues in the tail; nil where they are too few.
    package var tailCount: Int? { tail?.count }
}
