import Directions
import Language
import TerminalText

extension DirectionsError: WordedError {
    var command: CommandError {
        switch self {
        case .noSharedSites: CommandError(description, remedy: "capture the same sites of both")
        case .twoPositions:
            CommandError("--at \(description)", remedy: "give one: --at resid_pre[3],last", exitCode: 2)
        case .noDirections:
            CommandError(description, remedy: "name a site of the residual stream, as resid_pre[3]", exitCode: 2)
        case .dependentRows:
            CommandError(
                "--at all gives rows of one prompt, which are not independent",
                remedy: "give last, another position, or mean", exitCode: 2)
        case .otherBase(let base, let tuned):
            CommandError(
                "--base \(base) has other layers or widths than \(tuned)",
                remedy: "give the checkpoint that it was tuned from", exitCode: 2)
        case .otherTokens(let base, let set):
            CommandError(
                "--base \(base) makes other tokens of \(set.escapedForTerminal)",
                remedy: "give the checkpoint that it was tuned from", exitCode: 2)
        case .noPrompts: CommandError(description, remedy: "read some with prompts FILE")
        case .tooManyDirections(let size, let rows, let width):
            CommandError(
                "--k \(size) is too much: \(counted(rows, "row")) of width \(width) \(agreeing(rows, "has", "have")) at most"
                    + " \(counted(min(rows, width), "direction"))", remedy: "give less", exitCode: 2)
        case .noContrasts:
            CommandError(
                description,
                remedy: "give prompts without labels, or more of each: prompts FILE --label-field ''")
        case .headsBehindNorm: CommandError(description, remedy: "leave out --heads")
        case .sameActivations, .fewDirections:
            CommandError(description, remedy: "give more prompts, or leave out --against")
        case .editedEnd: CommandError(description, remedy: "edits off all")
        case .noMemoryForPath(_, _, let hasControls):
            CommandError(
                description,
                remedy: hasControls
                    ? "give fewer prompts or --against 0, or close other programs"
                    : "give fewer prompts, or close other programs")
        case .editsInForce: CommandError(description, remedy: "switch them off: edits off all")
        case .fewPrompts:
            CommandError(description, remedy: "give more prompts, or smaller --train and --validation")
        case .shortPrompt: CommandError(description, remedy: "leave it out, or take fewer --positions")
        case .emptyToken:
            CommandError("--tokens has an empty text", remedy: "put one comma between two texts", exitCode: 2)
        case .otherWidth:
            CommandError(
                description, remedy: "take both from one model, or choose another site with --site", exitCode: 2)
        case .tooFewRows: CommandError(description, remedy: "give more prompts")
        case .fewPoints, .fewGroups: CommandError(description, remedy: "capture more prompts")
        default: CommandError(description)
        }
    }
}

extension SenseError: WordedError {
    var command: CommandError {
        CommandError(description, remedy: remedy, exitCode: self.isNoJSONLines ? 2 : 1)
    }

    private var isNoJSONLines: Bool { if case .notJSONLines = self { true } else { false } }

    private var remedy: String {
        switch self {
        case .notJSONLines: "write one JSON object a line, with the fields text, word and sense"
        case .noField(_, _, let role, let known):
            "choose one with \(Self.option(role)); the line has"
                + " \((known?.joined(separator: ", ") ?? "no fields").escapedForTerminal)"
        case .badField(_, _, let role, _):
            "a text is in quotes, a word and a sense may be numbers, true or false; \(Self.option(role)) names another field"
        case .noLines: "write one JSON object a line"
        case .wordNotInText: "write the word into the text as the field says it, or leave the line out"
        case .tooLate: "shorten the text before it"
        case .noWord(let word, _, let known): Suggestion.remedy(for: word, among: known)
        case .noneMeasured: "give two senses a word and at least \(SenseRun.fewest) contexts a sense"
        case .notTwoSenses: "give lines of two senses"
        case .fewContexts: "give more lines; what comes after the word does not count"
        case .notFinite: "verify says which tensors hold NaN or infinity"
        }
    }

    private static func option(_ field: Field) -> String {
        switch field {
        case .text: "--field"
        case .word: "--word-field"
        case .sense: "--sense-field"
        }
    }
}
