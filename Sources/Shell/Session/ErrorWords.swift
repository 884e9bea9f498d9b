import Comparison
import Directions
import Language
import TerminalText
import Workbench

extension CommandError {
    /// What the shell says of an error: those of the modules below know nothing of options, remedies and exit codes.
    ///
    /// - Returns: nil for errors that say all there is to say.
    init?(_ error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as WorkbenchError: self = error.command
        case let error as ComparisonError: self = error.command
        case let error as DirectionsError: self = error.command
        case let error as UnfinishedCapture:
            self.init(
                "\(Self.words(error.cause)); \(error.kept)", remedy: "the same command goes on from there")
        default: return nil
        }
    }

    /// An error as one sentence, with its remedy where the shell knows one.
    static func words(_ error: any Error) -> String { CommandError(error)?.description ?? "\(error)" }
}

extension DirectionsError {
    fileprivate var command: CommandError {
        switch self {
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
        case .emptyToken:
            CommandError("--tokens has an empty text", remedy: "put one comma between two texts", exitCode: 2)
        case .otherWidth:
            CommandError(
                description, remedy: "take both from one model, or choose another site with --site", exitCode: 2)
        case .fewPoints, .fewGroups: CommandError(description, remedy: "capture more prompts")
        default: CommandError(description)
        }
    }
}

extension WorkbenchError {
    fileprivate var command: CommandError {
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
        case .overflow: "is this checkpoint meant to run?"
        case .differentVocabularies, .differentTokens: "compare checkpoints that share a tokenizer"
        case .differentEncodings: "compare checkpoints that make the same tokens of a text"
        case .noNextToken: "give a longer text, or --at last"
        case .emptyText: "write at least one character"
        case .emptyPrompt: "remove the empty line"
        case .noPrompts: "write one prompt a line"
        case .fewPrompts: "sample fewer"
        case .noSuchLabel(_, _, let known):
            known.isEmpty
                ? "its prompts have no labels; --label-field names the field that holds them"
                : "there is \(known.prefix(10).map(\.escapedForTerminal).joined(separator: ", "))"
                    + (known.count > 10 ? ", …" : "")
        case .noPromptField(_, _, let known):
            "choose one with --field; the line has"
                + " \((known.isEmpty ? "no fields" : known.joined(separator: ", ")).escapedForTerminal)"
        case .promptIsNoText: "a prompt is a text; --field names another field"
        case .answerIsNoText:
            "an answer is a text or a list of texts; --answer-field names another field, or '' for none"
        case .emptyAnswer: "leave the field out where there is no answer"
        case .noAnswers: "choose another one with --answer-field"
        case .noPhrases: "write one a line; # begins a comment"
        case .unreadable: nil
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
}
