import Claims
import Language
import TerminalText

extension ClaimsError: WordedError {
    var command: CommandError {
        if case .samePenalty = self {
            CommandError(description, remedy: "give one for each penalty", exitCode: 2)
        } else {
            CommandError(description, remedy: remedy)
        }
    }

    private var remedy: String? {
        switch self {
        case .noSets(_, let wanted):
            "name files in it \(wanted.joined(separator: ", ")), senses.jsonl, refusals.txt (see help claims)"
        case .noSet: "write such a set of prompts"
        case .noSenses: "write lines with the fields text, word and sense"
        case .noMarkers: "write the phrases of the behaviour, one a line"
        case .nothingHeldOut: "write held-out sets of prompts"
        case .fewPenalties: "give checkpoints tuned under three penalties or more: --penalties A,B,C"
        case .fewSteps: "give checkpoints of one training, in its order: --series A,B,C"
        case .otherModel: "give checkpoints of its training with --series"
        case .noPenalty(let checkpoint): "say it: --penalties 0.1=\(checkpoint.escapedForTerminal)"
        case .noLossInterval: "give more open prompts, of two tokens or more"
        case .noTokens: "give longer prompts"
        case .noDimension: "give more prompts"
        case .noDistances: "give other checkpoints"
        case .samePenalty, .sameActivations, .noReplies, .noSites, .noWords: nil
        }
    }
}
