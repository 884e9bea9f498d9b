package import Sites
import TerminalText

/// A reason why something that a study works with is missing or unusable: what, where, and with which numbers. The
/// shell adds advice.
package enum WorkbenchError: Error, Equatable, Sendable, CustomStringConvertible {
    // Checkpoints
    case noTokenizer(checkpoint: String)
    case noChatTemplate(checkpoint: String)
    /// A model's run gave NaN or infinity, and a tensor of the checkpoint holds such values.
    case badTensor(problem: String, tensor: String, nans: Int, infinities: Int)
    case notFiniteWithEdits(problem: String, edits: String)
    case overflow(problem: String)

    /// A tensor was to be read as numbers, but its elements are not of a floating-point type.
    case noNumbers(tensor: String, type: String)

    // Two checkpoints
    case differentVocabularies(String, Int, String, Int)
    case differentTokens(id: Int32, String, String, String, String)
    /// Two checkpoints encode a prompt as different tokens; the text says where they differ.
    case differentEncodings(String)
    case noNextToken

    // Prompts
    /// A prompt, which the text names as in `prompt 3 of corpus`, has no tokens.
    case emptyPrompt(String)
    /// A prompt, named in the same way, has more tokens than the checkpoint's model has positions.
    case longPrompt(String, tokens: Int, limit: Int, checkpoint: String)
    case noPrompts(file: String)
    case fewPrompts(Int)
    case noSuchLabel(file: String, label: String, known: [String])
    /// A field was named, but the file is no .jsonl file.
    case noFields(file: String, field: String)
    /// No line of a file has a label in the field for labels; `known` lists the fields that its lines have.
    case noLabelField(file: String, field: String, known: [String])
    /// A prompt's JSON object lacks the field that holds its text; `place` names the line of the file.
    case noPromptField(place: String, field: String, known: [String])
    case promptIsNoText(place: String, kind: String, field: String)
    case answerIsNoText(place: String, kind: String, field: String)
    case labelIsNoScalar(place: String, kind: String, field: String)
    /// Reading left out different lines (by number, from 1) of two sets whose prompts are pairs.
    case differentLosses(_ first: String, _ second: String, lines: [Int], otherLines: [Int])
    case emptyAnswer(place: String, isList: Bool, field: String)
    case noAnswers(file: String, field: String, known: [String])
    case noPhrases(file: String)
    case noFile(String)
    case isFolder(String)
    case unreadable(file: String, reason: String)
    case notRegular(file: String)
    case tooLargeText(file: String)
    case notText(file: String)

    // Captures and points
    case noMeanOfLogits
    case patternsNeedFile
    case patternsHoldAll
    case modelHasNoSite(Site)
    case noSite(String, known: [String])
    case noRows
    case severalSites([String])
    case namesSeveral(String, known: [String])
    case notHeld(String, known: [String])
    case notRows(Site)
    case notFinitePoint(name: String, row: Int, column: Int, value: Double)
    case fewRows(name: String, count: Int)
    case sameRows(count: Int)
    case noLabels(name: String)
    case smallGroups(least: Int, largest: Int)
    case tooManyMatrices(count: Int, bytes: Int)
    case fewCoordinates(Int)
    case tooManyPoints(count: Int, width: Int, bytes: Int)
    case notMeasured(name: String, reason: String)

    // Runs
    case tooManyContinuations(Int, prompts: Int, most: Int)
    /// A continuation was to have more tokens than the model has positions, `limit`.
    case tooManyTokens(limit: Int)
    /// The memory limit is too small for the longest prompt; `longest` is that prompt's number of tokens, `smallest`
    /// the bytes that a run over it needs.
    case smallLimit(MemoryLimit, longest: Int, smallest: Int)
    case noMemory(run: Int, result: Int, available: Int)

    package var description: String {
        switch self {
        case .noTokenizer(let checkpoint): "\(checkpoint) has no tokenizer inside"
        case .noChatTemplate(let checkpoint): "\(checkpoint) has no chat template"
        case .badTensor(let problem, let tensor, let nans, let infinities):
            "\(problem): \(tensor) holds \(nans) NaN and \(infinities) infinite values"
        case .notFiniteWithEdits(let problem, let edits): "\(problem) with the edits \(edits)"
        case .overflow(let problem): "\(problem), although every tensor is finite: the computation overflows"
        case .noNumbers(let tensor, let type): "\(tensor) holds \(type)"
        case .differentVocabularies(let a, let first, let b, let second):
            "the vocabulary of \(a) has \(first) tokens, that of \(b) \(second)"
        case .differentTokens(let id, let one, let a, let other, let b):
            "token \(id) is \"\(one.escapedForTerminal)\" in \(a) and \"\(other.escapedForTerminal)\" in \(b)"
        case .differentEncodings(let text): text
        case .noNextToken: "a comparison at every position that has a next token needs two tokens"
        case .emptyPrompt(let prompt): "\(prompt) has no tokens"
        case .longPrompt(let prompt, let tokens, let limit, let checkpoint):
            "\(prompt) has \(tokens) tokens, and \(checkpoint.escapedForTerminal) takes at most \(limit)"
        case .noPrompts(let file): "\(file.escapedForTerminal) has no prompts"
        case .fewPrompts(let count): "there \(agreeing(count)) only \(counted(count, "prompt")) to sample from"
        case .noSuchLabel(let file, let label, _):
            "\(file.escapedForTerminal) has no prompts with the label \(label.escapedForTerminal)"
        case .noFields(let file, let field):
            "\(file.escapedForTerminal) is no .jsonl file, so its lines have no field \(field.escapedForTerminal)"
        case .noLabelField(let file, let field, _):
            field.isEmpty
                ? "labels are asked for, and no field of \(file.escapedForTerminal) is read as the label"
                : "no line of \(file.escapedForTerminal) has a label in the field \(field.escapedForTerminal)"
        case .noPromptField(let place, let field, _):
            "\(place.escapedForTerminal) has no text in the field \(field.escapedForTerminal)"
        case .promptIsNoText(let place, let kind, let field), .answerIsNoText(let place, let kind, let field),
            .labelIsNoScalar(let place, let kind, let field):
            "\(place.escapedForTerminal) has \(kind) in the field \(field.escapedForTerminal)"
        case .emptyAnswer(let place, let isList, let field):
            "\(place.escapedForTerminal) has an empty \(isList ? "list" : "answer") in the field"
                + " \(field.escapedForTerminal)"
        case .differentLosses(let first, let second, let lines, let otherLines):
            "different lines of \(first.escapedForTerminal) and \(second.escapedForTerminal) are empty"
                + " (\(ReadingLosses.list(lines)); \(ReadingLosses.list(otherLines))), so that their pairs are shifted"
        case .noAnswers(let file, let field, _):
            "no line of \(file.escapedForTerminal) has an answer in the field \(field.escapedForTerminal)"
        case .noPhrases(let file): "\(file.escapedForTerminal) has no phrases"
        case .noFile(let file): "can't read \(file.escapedForTerminal): there is no such file"
        case .isFolder(let file): "can't read \(file.escapedForTerminal): it is a folder"
        case .unreadable(let file, let reason): "can't read \(file.escapedForTerminal): \(reason)"
        case .notRegular(let file): "\(file.escapedForTerminal) is not a regular file"
        case .tooLargeText(let file): "\(file.escapedForTerminal) is larger than 1 GiB"
        case .notText(let file): "\(file.escapedForTerminal) is not UTF-8 text"
        case .noMeanOfLogits: "logits have no mean over positions"
        case .patternsNeedFile: "attention patterns and scores go to a file, [heads, tokens, tokens] for each prompt"
        case .patternsHoldAll: "patterns hold every position"
        case .modelHasNoSite(let site): "this model has no \(site.kind.shortName)"
        case .noSite(let site, _): "the capture has no site \(site)"
        case .noRows: "the capture holds attention patterns and no rows"
        case .severalSites(let sites): "the capture has \(sites.count) sites"
        case .namesSeveral(let site, _): "\(site.escapedForTerminal) names several sites"
        case .notHeld(let site, _): "the capture does not hold \(site.escapedForTerminal)"
        case .notRows(let site): "\(site.shortName) can't be measured here"
        case .notFinitePoint(let name, let row, let column, let value):
            "\(name.escapedForTerminal): row \(row), column \(column) is \(NumberFormat.significant(value))"
        case .fewRows(let name, let count): "\(name.escapedForTerminal) has \(counted(count, "row"))"
        case .sameRows(let count): "all \(count) rows are the same"
        case .noLabels(let name): "the rows of \(name.escapedForTerminal) have no labels"
        case .smallGroups(let least, let largest): "no group has \(least) rows; the largest has \(largest)"
        case .tooManyMatrices(let count, let bytes):
            "\(count) matrices at once would take about \(NumberFormat.bytes(bytes))"
        case .fewCoordinates(let count): "there \(agreeing(count)) only \(counted(count, "coordinate"))"
        case .tooManyPoints(let count, let width, let bytes):
            "\(count) points of width \(width) would take about \(NumberFormat.bytes(bytes))"
        case .notMeasured(let name, let reason): "\(name.escapedForTerminal): \(reason)"
        case .tooManyContinuations(let count, let prompts, let most):
            "\(counted(count, "continuation")) of \(counted(prompts, "prompt")) are more than \(most)"
        case .tooManyTokens(let limit): "a continuation can have at most \(limit) tokens"
        case .smallLimit(let limit, let longest, let smallest):
            "\(limit.name) \(ByteSize.text(limit.bytes)) is too small: the longest prompt has"
                + " \(counted(longest, "token")), and its run needs \(Self.needed(smallest))"
        case .noMemory(let run, let result, let available):
            result > 0 && run <= available
                ? "this capture takes \(NumberFormat.bytes(result)) of memory and its run \(NumberFormat.bytes(run));"
                    + " \(NumberFormat.bytes(available)) are available"
                : "this run takes \(NumberFormat.bytes(run)) of memory; \(NumberFormat.bytes(available)) are available"
        }
    }

    /// Returns a number of bytes as a size in MB, rounded up, to which a memory limit can be set.
    package static func needed(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000)MB" }
}
