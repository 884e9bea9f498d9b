package import Geometry
package import LinearAlgebra
package import Statistics

/// The singular values of a weight matrix, with the ranks and the tail that follow from them alone.
package struct MatrixSpectrum: Sendable {
    /// The singular values of the weight matrix, largest first.
    package let singularValues: [Double]
    package let dimensions: LinearDimensions
    /// The power law of the tail of the eigenvalues, which are the squared singular values of the weight matrix; nil if
    /// they are too few.
    private let tail: PowerLawTail?

    /// Takes the eigenvalues of the weight matrix's Gram matrix.
    ///
    /// - Throws: `GeometryError` if all eigenvalues are 0.
    package init(_ spectrum: GramSpectrum) throws {
        singularValues = spectrum.eigenvalues.map { $0.squareRoot() }
        dimensions = try LinearDimensions(eigenvalues: spectrum.eigenvalues)
        tail = PowerLawTail(spectrum.eigenvalues)
    }

    /// The Frobenius norm of the weight matrix.
    package var norm: Double { singularValues.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// The exponent of the power law of the tail of the squared singular values, with its 95 % interval; nil if they
    /// are too few.
    package var tailExponent: Estimate? {
        tail.map { tail in
            let half = 1.96 * tail.standardError
            return Estimate(tail.alpha, low: tail.alpha - half, high: tail.alpha + half)
        }
    }

    /// The number of squared singular values in the tail that the power law describes; nil if they are too few.
    package var tailCount: Int? { tail?.count }
}
