/// Why a point set could not be measured.
package enum GeometryError: Error, Equatable, CustomStringConvertible {
    case tooFewPoints(found: Int, needed: Int)
    case notFinite(row: Int, column: Int)
    case allTheSame(rows: Int)
    case noCoordinates

    package var description: String {
        switch self {
        case .tooFewPoints(let found, let needed):
            "\(found) point\(found == 1 ? " is" : "s are") too few; at least \(needed) are needed"
        case .notFinite(let row, let column):
            "row \(row), column \(column) is NaN or infinite; check the checkpoint with verify"
        case .allTheSame(let rows):
            "all \(rows) rows are the same point; measure other rows, or another position"
        case .noCoordinates:
            "the points have no coordinates"
        }
    }
}
