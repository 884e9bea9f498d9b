import Comparison
import Geometry
import Reports

extension MatrixSpectrum {
    /// What is counted: names for a table or for scalars, and the values.
    var counts: [(name: String, value: Cell)] {
        [
            ("stable rank", .number(dimensions.stableRank)),
            ("effective rank of sigma", .number(dimensions.effectiveRankOfSingularValues)),
            ("effective rank of lambda", .number(dimensions.effectiveRank)),
            ("participation ratio", .number(dimensions.participationRatio)),
            ("alpha", Cell(tailExponent)), ("tail", tailCount.map { .integer($0) } ?? .missing),
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
