package import Sites
import TerminalText

/// A reason why directions can't be found or used.
package enum DirectionsError: Error, Equatable, CustomStringConvertible {
    case emptyClass(String)
    case tooFewRows(String, found: Int, needed: Int)
    case identicalClasses
    case wrongWidth(directions: Int, model: Int, file: String)
    case normAfter(architecture: String, tensor: String)
    case headsBehindNorm(architecture: String)
    case overflow(tensor: String, file: String)
    /// The activations of the prompts from which random directions take their covariance are all the same.
    case sameActivations(Site)
    case fewDirections(Site, wanted: Int)
    /// A path that interpolates the weights of two checkpoints has an end with edits in force.
    case editedEnd(String)
    case noMemoryForPath(Int, available: Int, hasControls: Bool)
    case editsInForce
    case fewPrompts(set: String, count: Int, needed: Int, validation: Int, training: Int)
    /// A prompt, named as in `prompt 3 of taboo`, is too short to have a position that is counted from its end.
    case shortPrompt(String, tokens: Int, position: Int)
    case emptyToken
    case otherWidth(points: String, Int, directions: Int)
    /// A set of points has too few rows; `isPart` says whether rows were left out because directions were found on
    /// their prompts.
    case fewPoints(String, count: Int, needed: Int, topics: Int, isPart: Bool)
    case fewGroups(String, count: Int, needed: Int)
    case notContained(String, reason: String)

    /// The captures (files of activations) of the two sets with these names have no site in common.
    case noSharedSites(String, String)
    case twoPositions(String)
    case noDirections(Site)
    /// All token positions of each prompt were asked for, so rows of one prompt would depend on each other.
    case dependentRows
    /// The base has other layers or widths than the checkpoint that was tuned from it.
    case otherBase(String, of: String)
    case otherTokens(base: String, set: String)
    case noPrompts(String)
    case tooManyDirections(Int, rows: Int, width: Int)
    case noContrasts(String)

    package var description: String {
        switch self {
        case .noSharedSites(let a, let b): "\(a.escapedForTerminal) and \(b.escapedForTerminal) have no site in common"
        case .twoPositions(let text): "\(text.escapedForTerminal) has two positions"
        case .noDirections(let site): "\(site.shortName) has no directions"
        case .dependentRows: "all positions give rows of one prompt, which are not independent"
        case .otherBase(let base, let tuned): "the base \(base) has other layers or widths than \(tuned)"
        case .otherTokens(let base, let set): "the base \(base) makes other tokens of \(set.escapedForTerminal)"
        case .noPrompts(let name): "\(name.escapedForTerminal) has no prompts"
        case .tooManyDirections(let size, let rows, let width):
            "\(counted(size, "direction")) \(agreeing(size)) too many: \(counted(rows, "row")) of width \(width)"
                + " \(agreeing(rows, "has", "have")) at most \(counted(min(rows, width), "direction"))"
        case .noContrasts(let name): "no label of \(name) has two rows, so there are no contrasts within a class"
        case .wrongWidth(let directions, let model, let file):
            "the directions have \(directions) coordinates, and the residual stream of \(file) has \(model); take directions that were found in this model, or in one of its width"
        case .normAfter(let architecture, let tensor):
            "a direction can't be folded into a \(architecture) exactly: a norm stands between \(tensor) and the residual stream, so taking the direction out of the matrix does not take it out of what is added; take it out of the activations instead: ablate"
        case .headsBehindNorm(let architecture):
            "what attention adds goes through a norm in \(architecture), so it is not the sum of its heads"
        case .overflow(let tensor, let file):
            "\(file): \(tensor) holds NaN or infinite values, or gets them here; verify lists all such tensors"
        case .sameActivations(let site): "all activations at \(site.shortName) are the same over these prompts"
        case .fewDirections(let site, let wanted):
            "the activations at \(site.shortName) span fewer than \(counted(wanted, "direction")) beside those that were"
                + " found, over these prompts"
        case .editedEnd(let name): "a way by weights has no edits, and \(name) has some in force"
        case .noMemoryForPath(let needed, let available, _):
            "this path takes \(NumberFormat.bytes(needed)) of memory; \(NumberFormat.bytes(available)) are available"
        case .editsInForce: "a direction is selected on the checkpoint as it is, and edits are in force"
        case .fewPrompts(let set, let count, let needed, let validation, let training):
            "\(set.escapedForTerminal) has \(counted(count, "prompt")), and \(needed) are needed: \(validation) for"
                + " validation, \(training) for training"
        case .shortPrompt(let prompt, let tokens, let position):
            "\(prompt) has \(counted(tokens, "token")), so no position \(position)"
        case .emptyToken: "a token that answers are judged by is an empty text"
        case .otherWidth(let points, let width, let directions):
            "\(points.escapedForTerminal) has rows of width \(width), and the directions have width \(directions)"
        case .fewPoints(let name, let count, let needed, let topics, let isPart):
            "\(name.escapedForTerminal) has \(counted(count, "row"))"
                + (isPart ? " of prompts that the directions were not found on" : "")
                + ", and contain needs \(needed): half to fit, half for contrasts of \(topics) topics"
        case .fewGroups(let name, let count, let needed):
            "\(name.escapedForTerminal) has rows of \(counted(count, "prompt")), and contain needs \(needed): rows of one"
                + " prompt stay together in halves"
        case .notContained(let name, let reason): "\(name.escapedForTerminal): \(reason)"
        case .emptyClass(let name): "there are no \(name) rows; give at least two"
        case .tooFewRows(let name, let found, let needed):
            "there \(found == 1 ? "is 1 \(name) row" : "are \(found) \(name) rows"); it takes at least \(needed)"
        case .identicalClasses:
            "the two sets hold the same rows: there is no direction between them; give different sets, another position or a later layer"
        }
    }
}
