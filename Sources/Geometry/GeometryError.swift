/// Why a point set could not be measured.
package enum GeometryError: Error, Equatable, CustomStringConvertible {
    case tooFewPoints(found: Int, needed: Int)
    case notFinite(row: Int, column: Int)
    case allTheSame(rows: Int)
    case tooFewDistinct(found: Int, rows: Int, needed: Int)
    case noCoordinates
    /// A table of nearest neighbours is too narrow.
    case tooFewNeighbours(found: Int, needed: Int)
    /// A distance, counted from rank 1, that is NaN, infinite or below the one before it.
    case badDistance(row: Int, rank: Int)
    /// A point and one of its neighbours are the same.
    case coincidentPoints(row: Int)
    /// r2 / r1 of a point that is NaN, infinite or below 1.
    case badRatio(index: Int)
    /// Neighbours so nearly at one distance that no dimension follows.
    case equalDistances(near: Int, far: Int)
    /// All points are the same.
    case noVariance
    /// A kernel (inner products about the mean) that holds NaN or Inf.
    case kernelNotFinite
    case badEigenvalue(index: Int)
    /// The estimator's equation has no solution for this set.
    case unresolved(estimator: String, points: Int)
    /// Directions of spaces of different width are compared.
    case widthsDiffer(Int, Int)
    /// Rows that are to be paired are not as many.
    case rowsDiffer(Int, Int)
    /// A row all of whose coordinates are the same has no correlation with another.
    case constantRow(Int)
    /// Canonical correlations of fewer than five points a dimension come out large by chance.
    case tooFewForCorrelation(points: Int, dimensions: Int)
    case outOfRange(option: String, value: String, allowed: String)

    package var description: String {
        switch self {
        case .tooFewPoints(let found, let needed):
            "\(found) point\(found == 1 ? " is" : "s are") too few; take at least \(needed)"
        case .notFinite(let row, let column):
            "row \(row), column \(column) is NaN or infinite; check the checkpoint with verify"
        case .allTheSame(let rows):
            "all \(rows) rows are the same point; measure other rows, or another position"
        case .tooFewDistinct(let found, let rows, let needed):
            "only \(found) of \(rows) rows \(found == 1 ? "is" : "are") distinct; at least \(needed) are needed: take more"
        case .noCoordinates:
            "the points have no coordinates"
        case .tooFewNeighbours(let found, let needed):
            "\(found) neighbour\(found == 1 ? " of each point is" : "s of each point are") too few; at least \(needed)"
                + " are needed: ask for more neighbours or take more points"
        case .badDistance(let row, let rank):
            "the distance from row \(row) to its neighbour \(rank) is NaN, infinite or out of order; "
                + "check the points for NaN and for values that overflow"
        case .coincidentPoints(let row):
            "row \(row) is the same as another row; leave out duplicates first"
        case .badRatio(let index):
            "ratio \(index) of neighbour distances is NaN, infinite or below 1; leave out duplicates first"
        case .equalDistances(let near, let far):
            "neighbours \(near) and \(far) are equally far from every point, as in a lattice or a simplex: "
                + "no dimension follows from their ratio; take other neighbours or more points"
        case .noVariance:
            "all points are the same, so they have no dimension; take other points"
        case .kernelNotFinite:
            "the patch holds NaN or infinite values; check the points for NaN and for values that overflow"
        case .badEigenvalue(let index):
            "eigenvalue \(index) is NaN, infinite, negative or larger than the one before it; "
                + "check the matrix for NaN and for values that overflow"
        case .unresolved(let estimator, let points):
            "\(estimator) has no solution for these \(points) points: their dimension is too large for so few; "
                + "take more points"
        case .widthsDiffer(let first, let second):
            "directions of width \(first) cannot be compared with directions of width \(second); "
                + "take both from one site"
        case .rowsDiffer(let first, let second):
            "\(first) rows cannot be paired with \(second); measure both on the same prompts and positions"
        case .constantRow(let row):
            "row \(row) has the same value in every coordinate, and so no correlation with others; leave it out"
        case .tooFewForCorrelation(let points, let dimensions):
            "\(points) points are too few for canonical correlations of \(dimensions) dimensions, which need"
                + " \(5 * dimensions); take more points"
        case .outOfRange(let option, let value, let allowed):
            "\(option) \(value) is out of range; give \(allowed)"
        }
    }
}
