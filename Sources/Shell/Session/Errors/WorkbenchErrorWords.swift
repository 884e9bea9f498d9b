import Language
import TerminalText
import Workbench

extension RowError: WordedError {
    var command: CommandError {
        switch self {
        case .noRow(_, _, let rows): CommandError(description, remedy: "it has rows 0 to \(rows - 1)", exitCode: 2)
        case .noTexts(_, _, let rows): CommandError(description, remedy: "give one from 0 to \(rows - 1)", exitCode: 2)
        case .noMatch(_, let text, let known):
            CommandError(
                description,
                remedy: Suggestion.closest(to: text, among: known).map { "did you mean \"\($0.escapedForTerminal)\"?" }
                    ?? "give a row's number, or another part")
        case .several(let count, _, _, _, let matches):
            CommandError(
                description,
                remedy: "give a row's number: \(matches.joined(separator: ", "))\(count > matches.count ? ", ..." : "")"
            )
        }
    }
}

extension WorkbenchError: WordedError {
    var command: CommandError {
        switch self {
        case .tooManyTokens(let limit): CommandError("--tokens can be at most \(limit)", remedy: remedy, exitCode: 2)
        case .notRows, .fewCoordinates, .patternsHoldAll, .tooManyContinuations:
            CommandError(description, remedy: remedy, exitCode: 2)
        default: CommandError(description, remedy: remedy)
        }
    }

    private var remedy: String? {
        switch self {
        case .noTokenizer: "put the model's tokenizer.json into the folder, or convert one that has it"
        case .noChatTemplate: "leave out --chat"
        case .badTensor: "verify lists all such tensors"
        case .notFiniteWithEdits: "edits off all runs without them; steer with a smaller --strength"
        case .noNumbers: "only floating-point tensors are printed"
        case .overflow: "is this checkpoint meant to run?"
        case .differentVocabularies, .differentTokens: "compare checkpoints that share a tokenizer"
        case .differentEncodings: "compare checkpoints that make the same tokens of a text"
        case .noNextToken: "give a longer text, or --at last"
        case .emptyPrompt(let prompt):
            prompt == "the text" ? "write at least one character" : "leave it out of the file"
        case .longPrompt(let prompt, _, _, _): prompt == "the text" ? "shorten it" : "shorten it, or leave it out"
        case .noPrompts: "write one prompt a line"
        case .fewPrompts: "sample fewer"
        case .noSuchLabel(_, _, let known): "there is \(Self.list(known))"
        case .noFields: "leave out --field, --label-field, --answer-field and --label, or name a .jsonl file"
        case .noLabelField(_, _, let known): "choose another one with --label-field; the lines have \(Self.list(known))"
        case .noPromptField(_, _, let known): "choose one with --field; the line has \(Self.list(known))"
        case .promptIsNoText: "a prompt is a text; --field names another field"
        case .labelIsNoScalar:
            "a label is a text, a number, true or false; --label-field names another field, or '' for none"
        case .differentLosses:
            "remove the empty lines, or the lines that belong to them, from both files, and read them again"
        case .answerIsNoText:
            "an answer is a text or a list of texts; --answer-field names another field, or '' for none"
        case .emptyAnswer: "leave the field out where there is no answer"
        case .noAnswers(_, _, let known): "choose another one with --answer-field; the lines have \(Self.list(known))"
        case .noPhrases: "write one a line; # begins a comment"
        case .noFile: "check the path: TAB after a folder shows what is in it"
        case .isFolder: "name a file in it"
        case .unreadable: "see who may read it, and what the disk says"
        case .notRegular: "name a text file"
        case .tooLargeText: "split it"
        case .notText: "convert it, for example with iconv"
        case .noMeanOfLogits: "use --at last or all"
        case .patternsNeedFile: "give one with --to FILE"
        case .patternsHoldAll: "leave out --at"
        case .modelHasNoSite: "see help sites"
        case .noSite(_, let known): "it has \(known.joined(separator: ", "))"
        case .noRows: "read them in Python; see help capture"
        case .severalSites(let sites): "choose one with --site, such as \(sites.last ?? "")"
        case .namesSeveral(_, let known), .notHeld(_, let known):
            "it has \(known.prefix(4).joined(separator: ", "))\(known.count > 4 ? ", ..." : "")"
        case .notRows: "name sites of the residual stream, as resid_post[*]"
        case .notFinitePoint: "leave that row out: read the points with --rows, or capture fewer prompts"
        case .fewRows: "take more points"
        case .sameRows: "take more points, or another position of the prompts"
        case .noLabels:
            "name the field with prompts FILE.jsonl --label-field, such as sense in Scripts/prompts/senses.jsonl"
        case .smallGroups: "capture more prompts, or leave out --by"
        case .tooManyMatrices: "choose fewer"
        case .fewCoordinates: "leave out --without-rogue"
        case .tooManyPoints: "measure fewer, for example --points 5000"
        case .notMeasured: nil
        case .tooManyContinuations: "give a smaller --count, or fewer prompts"
        case .tooManyTokens: "give less"
        case .smallLimit(_, _, let smallest): "give \(Self.needed(smallest)) or more"
        case .noMemory(let run, let result, let available):
            result > 0 && run <= available
                ? "capture to a file instead: --to FILE" : "give less with --memory SIZE, or close other programs"
        }
    }

    /// At most ten names of labels or fields, in words.
    private static func list(_ names: [String]) -> String {
        names.isEmpty
            ? "no fields"
            : names.prefix(10).map(\.escapedForTerminal).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    }
}
