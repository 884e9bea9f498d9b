import Comparison
import Geometry
import Reports

extension MatrixSpectrum {
    /// The ranks and the tail of the spectrum, each with a name that serves as a table's column or as a scalar.
    var counts: [(name: String, value: Cell)] {
        [
            ("stable rank", .number(dimensions.stableRank)),
            ("effective rank of sigma", .number(dimensions.effectiveRankOfSingularValues)),
            ("effective rank of lambda", .number(dimensions.effectiveRank)),
            ("participation ratio", .number(dimensions.participationRatio)),
            ("alpha", Cell(tailExponent)), ("tail", tailCount.map { .integer($0) } ?? .missing),
        ]
    }

    /// Returns the singular values, as shares of the largest, as a curve of characters.
    ///
    /// - Parameters:
    ///   - width: The largest number of characters.
    ///   - isASCII: Whether only ASCII characters may be used.
    func sparkline(width: Int, isASCII: Bool) -> String {
        let count = min(width, singularValues.count)
        let largest = singularValues.first ?? 1
        let shown = (0..<count).map { singularValues[$0 * singularValues.count / count] / largest }
        return Sparkline.text(shown, range: 0...1, isASCII: isASCII)
    }
}
