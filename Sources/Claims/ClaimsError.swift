import TerminalText

/// A reason why a claim can't be tested on two checkpoints and a folder of prompts.
package enum ClaimsError: Error, Equatable, CustomStringConvertible {
    // Prompts
    /// The folder holds no set of prompts; `wanted` are the names of files that would do.
    case noSets(folder: String, wanted: [String])
    case noSet(folder: String, names: [String])
    case noSenses(folder: String)
    case noMarkers(folder: String)
    /// All prompts are among those on which R (the basin) was found.
    case nothingHeldOut

    // Checkpoints
    case fewPenalties
    case fewSteps
    case otherModel(String, width: Int, layers: Int, than: String, ownWidth: Int, ownLayers: Int)
    case samePenalty(Double)
    case noPenalty(checkpoint: String)

    // Measures
    case sameActivations(tuned: String, base: String)
    case noReplies
    case noSites
    case noLossInterval
    case noTokens
    case noDimension
    case noWords
    case noDistances

    package var description: String {
        switch self {
        case .noSets(let folder, _):
            "\(folder.escapedForTerminal) has none of the sets of prompts that claims are held against"
        case .noSet(let folder, let names):
            "\(folder.escapedForTerminal) has no \(names.joined(separator: " or ")).jsonl"
        case .noSenses(let folder): "\(folder.escapedForTerminal) has no senses.jsonl"
        case .noMarkers(let folder): "\(folder.escapedForTerminal) has no refusals.txt with phrases"
        case .nothingHeldOut: "all prompts are those that R was found on"
        case .fewPenalties: "a base and a tuned checkpoint can't show what a penalty did"
        case .fewSteps: "a base and a tuned checkpoint can't show how training went"
        case .otherModel(let name, let width, let layers, let own, let ownWidth, let ownLayers):
            "\(name) is another model than \(own): width \(width) and \(counted(layers, "layer")), not \(ownWidth) and"
                + " \(ownLayers)"
        case .samePenalty(let penalty): "two checkpoints have the penalty \(NumberFormat.significant(penalty))"
        case .noPenalty(let checkpoint): "the recipe of \(checkpoint.escapedForTerminal) names no penalty"
        case .sameActivations(let tuned, let base):
            "\(tuned) and \(base) have the same activations on forbidden prompts"
        case .noReplies: "no replies were made"
        case .noSites: "no site can be measured"
        case .noLossInterval: "the loss has no interval"
        case .noTokens: "no token could be compared"
        case .noDimension: "no site has a dimension"
        case .noWords: "no word could be measured"
        case .noDistances: "the series has no distances"
        }
    }
}
