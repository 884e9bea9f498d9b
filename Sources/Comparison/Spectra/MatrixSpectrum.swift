package import Geometry
package import LinearAlgebra

/// A weight matrix's singular values and what they say by themselves.
package struct MatrixSpectrum: Sendable {
    /// Largest first.
    package let singularValues: [Double]
    package let dimensions: LinearDimensions
    /// Of the eigenvalues, the squared singular values; nil where they are too few.
    package let tail: PowerLawTail?

    /// - Throws: `GeometryError` if all are 0.
    package init(_ spectrum: GramSpectrum) throws {
        singularValues = spectrum.eigenvalues.map { $0.squareRoot() }
        dimensions = try LinearDimensions(eigenvalues: spectrum.eigenvalues)
        tail = PowerLawTail(spectrum.eigenvalues)
    }

    /// Frobenius norm.
    package var norm: Double { singularValues.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
