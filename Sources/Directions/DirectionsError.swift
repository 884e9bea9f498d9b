/// Why directions can't be found or used.
package enum DirectionsError: Error, Equatable, CustomStringConvertible {
    case emptyClass(String)
    case tooFewRows(String, found: Int, needed: Int)
    case identicalClasses
    case wrongWidth(directions: Int, model: Int, file: String)
    case normAfter(architecture: String, tensor: String)
    case headsBehindNorm(architecture: String)
    case overflow(tensor: String, file: String)

    package var description: String {
        switch self {
        case .wrongWidth(let directions, let model, let file):
            "the directions have \(directions) coordinates, and the residual stream of \(file) has \(model); take directions that were found in this model, or in one of its width"
        case .normAfter(let architecture, let tensor):
            "a direction can't be folded into a \(architecture) exactly: a norm stands between \(tensor) and the residual stream, so taking the direction out of the matrix does not take it out of what is added; take it out of the activations instead: ablate"
        case .headsBehindNorm(let architecture):
            "what attention adds goes through a norm in \(architecture), so it is not the sum of its heads"
        case .overflow(let tensor, let file):
            "\(file): \(tensor) holds NaN or infinite values, or gets them here; verify lists all such tensors"
        case .emptyClass(let name): "there are no \(name) rows; give at least two"
        case .tooFewRows(let name, let found, let needed):
            "there \(found == 1 ? "is 1 \(name) row" : "are \(found) \(name) rows"); it takes at least \(needed)"
        case .identicalClasses:
            "the two sets hold the same rows: there is no direction between them; give different sets, another position or a later layer"
        }
    }
}
