package import Sites
import TerminalText

/// A reason why a file of words in context, each labelled with its sense (meaning), can't be read, or why the
/// activations of a word's senses can't be measured.
package enum SenseError: Error, Equatable, CustomStringConvertible {
    /// The role of a field in a line of the file of senses.
    package enum Field: Sendable { case text, word, sense }

    case notJSONLines(file: String)
    /// A line lacks a field: `place` is a line of a file; `known` lists the fields that it has, and is nil if it is not
    /// an object.
    case noField(place: String, field: String, Field, known: [String]?)
    /// A line has a value in a field that the field can't have, of the kind that a phrase says.
    case badField(place: String, field: String, Field, kind: String)
    case noLines(file: String)
    case wordNotInText(file: String, line: Int, text: String, word: String)
    /// The word stands behind the last position of the model.
    case tooLate(file: String, line: Int, word: String, token: Int, limit: Int)
    case noWord(String, file: String, known: [String])
    case noneMeasured(file: String, reason: String)
    case notTwoSenses(String, [String])
    case fewContexts(String, sense: String, count: Int, needed: Int)
    case notFinite(Site, Double)

    package var description: String {
        switch self {
        case .notJSONLines(let file): "\(file.escapedForTerminal) is no .jsonl file"
        case .noField(let place, let field, _, _):
            "\(place.escapedForTerminal) has no field \(field.escapedForTerminal)"
        case .badField(let place, let field, _, let kind):
            "\(place.escapedForTerminal) has \(kind) in the field \(field.escapedForTerminal)"
        case .noLines(let file): "\(file.escapedForTerminal) has no lines with a text, a word and a sense"
        case .wordNotInText(let file, let line, let text, let word):
            "\(file.escapedForTerminal), line \(line): \"\(text.escapedForTerminal)\" does not hold the word"
                + " \(word.escapedForTerminal)"
        case .tooLate(let file, let line, let word, let token, let limit):
            "\(file.escapedForTerminal), line \(line): \(word.escapedForTerminal) is token \(token), and the model takes"
                + " \(limit)"
        case .noWord(let word, let file, _):
            "\(file.escapedForTerminal) has no word \(word.escapedForTerminal)"
        case .noneMeasured(let file, let reason): "no word of \(file.escapedForTerminal) can be measured: \(reason)"
        case .notTwoSenses(let word, let senses):
            "\(word.escapedForTerminal) has \(counted(senses.count, "sense")) in the file"
                + " (\(senses.map(\.escapedForTerminal).joined(separator: ", "))), not two"
        case .fewContexts(let word, let sense, let count, let needed):
            "\(word.escapedForTerminal) as \(sense.escapedForTerminal) has \(counted(count, "context")) that \(agreeing(count, "differs", "differ")) before"
                + " the word; \(needed) are needed"
        case .notFinite(let site, let value): "\(site.shortName) holds \(NumberFormat.significant(value))"
        }
    }
}
