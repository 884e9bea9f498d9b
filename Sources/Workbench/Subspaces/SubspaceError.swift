/// A reason why vectors can't serve as directions, or why sets of directions can't be combined.
package enum SubspaceError: Error, Equatable, CustomStringConvertible {
    case zero(vector: Int)
    case notFinite(vector: Int)
    case dependent(vector: Int)
    case tooMany(vectors: Int, width: Int)
    case notOrthonormal(first: Int, second: Int, product: Double)
    case differentWidths(Int, Int)
    case notFiniteRow(String, row: Int)
    case differentCounts(Int, Int)
    case nothingLeft

    package var description: String {
        switch self {
        case .zero(let vector):
            "vector \(vector) is 0: it has no direction; are the two sets of prompts the same, or the position the same token in all?"
        case .notFinite(let vector): "vector \(vector) holds NaN or infinity; leave that row out"
        case .dependent(let vector): "vector \(vector) lies in the span of those before it; leave it out"
        case .tooMany(let vectors, let width): "\(vectors) vectors of width \(width) can't be independent; take fewer"
        case .notOrthonormal(let first, let second, let product):
            first == second
                ? "row \(first) of the basis has a squared length of \(product), not 1; store its vectors under /vectors alone"
                : "rows \(first) and \(second) of the basis are not orthogonal (their product is \(product)); orthonormalise them, as numpy.linalg.qr does"
        case .differentWidths(let first, let second):
            "the widths differ: \(first) and \(second); take both from one site of one model"
        case .notFiniteRow(let name, let row): "\(name) row \(row) holds NaN or infinity; leave that row out"
        case .differentCounts(let first, let second):
            "pairs need as many positive as negative rows, not \(first) and \(second); make the sets of one size"
        case .nothingLeft: "nothing of the vectors is left; the one subspace lies in the other"
        }
    }
}
