import Geometry
import LinearAlgebra
import Reports

/// A weight matrix's singular values and what they say by themselves.
struct MatrixSpectrum: Sendable {
    /// Largest first.
    let singularValues: [Double]
    let dimensions: LinearDimensions
    /// Of the eigenvalues, the squared singular values; nil where they are too few.
    let tail: PowerLawTail?

    /// - Throws: `GeometryError` if all are 0.
    init(_ spectrum: GramSpectrum) throws {
        singularValues = spectrum.eigenvalues.map { $0.squareRoot() }
        dimensions = try LinearDimensions(eigenvalues: spectrum.eigenvalues)
        tail = PowerLawTail(spectrum.eigenvalues)
    }

    /// Frobenius norm.
    var norm: Double { singularValues.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// What is counted: names for a table or for scalars, and the values.
    var counts: [(name: String, value: Cell)] {
        let alpha = tail.map { tail in
            let half = 1.96 * tail.standardError
            return Cell.interval(value: tail.alpha, low: tail.alpha - half, high: tail.alpha + half)
        }
        return [
            ("stable rank", .number(dimensions.stableRank)),
            ("effective rank of sigma", .number(dimensions.effectiveRankOfSingularValues)),
            ("effective rank of lambda", .number(dimensions.effectiveRank)),
            ("participation ratio", .number(dimensions.participationRatio)),
            ("alpha", alpha ?? .missing), ("tail", tail.map { .integer($0.count) } ?? .missing),
        ]
    }

    /// The singular values, as shares of the largest, as a word of at most so many characters.
    func sparkline(width: Int, isASCII: Bool) -> String {
        let count = min(width, singularValues.count)
        let largest = singularValues.first ?? 1
        let shown = (0..<count).map { singularValues[$0 * singularValues.count / count] / largest }
        return Sparkline.text(shown, range: 0...1, isASCII: isASCII)
    }
}
