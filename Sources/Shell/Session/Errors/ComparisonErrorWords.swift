import Comparison
import Language
import Sites
import TerminalText
import Workbench

extension SpectrumError: WordedError {
    var command: CommandError {
        switch self {
        case .noMatrix:
            CommandError(
                description, remedy: "choose others with --tensors, list more with --top, or leave out --svd")
        case .noMemory:
            CommandError(description, remedy: "choose fewer or smaller ones with --tensors, or set threads 1")
        case .gone: CommandError(description, remedy: "open the checkpoints again")
        case .notFinite, .allZero, .undecomposed: CommandError(description)
        }
    }
}

extension ComparisonError: WordedError {
    /// The error as the shell reports it, with a remedy and an exit code.
    var command: CommandError { CommandError(description, remedy: remedy, exitCode: exitCode) }

    private var exitCode: Int32 {
        switch self {
        case .noRows, .noSharedSites, .severalSites, .otherShape, .fewPermutations: 2
        default: 1
        }
    }

    private var remedy: String? {
        switch self {
        case .noTensor(let pattern, _, _, let known):
            Suggestion.closest(to: pattern, among: known).map { "did you mean \($0.escapedForTerminal)?" }
                ?? "* and ? match any characters, as in '*q_proj*'"
        case .noTensorPairs:
            "compare checkpoints of one architecture and size; tensors --in NAME lists a checkpoint's"
        case .noPrompts: "read some with prompts FILE"
        case .noRows(let site):
            site.kind == .logits ? "give: compare A B logits" : "name another site, as resid_post[3]"
        case .noSharedSites: "name sites that both have with --sites"
        case .noSite: "see help sites"
        case .severalSites: "name one, such as resid_post[2]"
        case .notMeasured: nil
        case .nothingMeasured: "give other --sites, or --at"
        case .notFinite: "verify says which tensors hold NaN or infinity"
        case .brokenTensor: "verify lists all such tensors; leave this checkpoint out"
        case .otherFile: "give the command again"
        case .otherShape: "give a checkpoint and what was tuned from it"
        case .differentTemplates: "read all of them with prompts --chat, or none"
        case .fewPermutations(_, let sites): "give --permutations \(sites * 40), or fewer --sites"
        case .longPrompt: "leave it out"
        case .sharedPrompts: "give sets that are apart"
        case .fewPairs(_, _, let found, _, let slack, let isEnough):
            Self.choice([
                "give more prompts (NAME+NAME is two sets as one)",
                slack < 2 ? "lengths that may differ (--length-slack 2)" : nil,
                isEnough ? "--at-least \(found)" : nil,
            ])
        case .smallLimit(_, _, let smallest): "give \(WorkbenchError.needed(smallest)) or more"
        }
    }

    private static func choice(_ ways: [String?]) -> String {
        let ways = ways.compactMap(\.self)
        return ways.dropLast().joined(separator: ", ") + (ways.count > 1 ? " or " : "") + (ways.last ?? "")
    }
}
