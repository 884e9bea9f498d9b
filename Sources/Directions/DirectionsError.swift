/// Why directions can't be found or used.
package enum DirectionsError: Error, Equatable, CustomStringConvertible {
    case zero(vector: Int)
    case notFinite(vector: Int)
    case dependent(vector: Int)
    case tooMany(vectors: Int, width: Int)
    case notOrthonormal(first: Int, second: Int, product: Double)
    case emptyClass(String)
    case tooFewRows(String, found: Int, needed: Int)
    case differentWidths(Int, Int)
    case notFiniteRow(String, row: Int)
    case identicalClasses
    case differentCounts(Int, Int)
    case nothingLeft
    case wrongWidth(directions: Int, model: Int, file: String)
    case normAfter(architecture: String, tensor: String)
    case headsBehindNorm(architecture: String)
    case overflow(tensor: String, file: String)

    package var description: String {
        switch self {
        case .zero(let vector):
            "vector \(vector) is 0: it has no direction; are the two sets of prompts the same, or the position the same token in all?"
        case .notFinite(let vector): "vector \(vector) holds NaN or infinity; leave that row out"
        case .dependent(let vector): "vector \(vector) lies in the span of those before it; leave it out"
        case .wrongWidth(let directions, let model, let file):
            "the directions have \(directions) coordinates, and the residual stream of \(file) has \(model); take directions that were found in this model, or in one of its width"
        case .normAfter(let architecture, let tensor):
            "a direction can't be folded into a \(architecture) exactly: a norm stands between \(tensor) and the residual stream, so taking the direction out of the matrix does not take it out of what is added; take it out of the activations instead: ablate"
        case .headsBehindNorm(let architecture):
            "what attention adds goes through a norm in \(architecture), so it is not the sum of its heads; leave out --heads"
        case .overflow(let tensor, let file):
            "\(file): \(tensor) holds NaN or infinite values, or gets them here; verify lists all such tensors"
        case .tooMany(let vectors, let width): "\(vectors) vectors of width \(width) can't be independent; take fewer"
        case .emptyClass(let name): "there are no \(name) rows; give at least two"
        case .tooFewRows(let name, let found, let needed):
            "there \(found == 1 ? "is 1 \(name) row" : "are \(found) \(name) rows"); it takes at least \(needed)"
        case .differentWidths(let first, let second):
            "the widths differ: \(first) and \(second); take both from one site of one model"
        case .notFiniteRow(let name, let row): "\(name) row \(row) holds NaN or infinity; leave that row out"
        case .identicalClasses:
            "the two sets hold the same rows: there is no direction between them; give different sets, another position or a later layer"
        case .differentCounts(let first, let second):
            "pairs need as many positive as negative rows, not \(first) and \(second); make the sets of one size"
        case .nothingLeft: "nothing of the vectors is left; the one subspace lies in the other"
        case .notOrthonormal(let first, let second, let product):
            first == second
                ? "row \(first) of the basis has a squared length of \(product), not 1; store its vectors under /vectors alone"
                : "rows \(first) and \(second) of the basis are not orthogonal (their product is \(product)); orthonormalise them, as numpy.linalg.qr does"
        }
    }
}
