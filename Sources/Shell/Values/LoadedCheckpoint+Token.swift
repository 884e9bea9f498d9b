import Language
import Models
import TerminalText
import Tokenizers
import Workbench

extension LoadedCheckpoint {
    /// The one token that a text is, within the model's vocabulary.
    ///
    /// - Throws: `CommandError` that names the option and says what the text is instead.
    func token(_ text: String, _ option: String) throws -> Int32 {
        let tokenizer = try tokenizer()
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        if ids.count == 1 {
            let count = try configuration().vocabularySize
            guard ids[0] < count else {
                throw CommandError(
                    "\(option) \"\(text.escapedForTerminal)\" is token \(ids[0]), and the model has \(count)",
                    remedy: "give a token that it can answer with", exitCode: 2)
            }
            return ids[0]
        }
        guard !ids.isEmpty else {
            throw CommandError("\(option) is empty", remedy: "give one token, such as \" Paris\"", exitCode: 2)
        }
        let pieces = ids.prefix(8).map { "\"\(tokenizer.piece($0).escapedForTerminal)\"" }.joined(separator: " ")
        let blank = " \(text)"
        let first = tokenizer.piece(ids[0]).escapedForTerminal
        let remedy =
            tokenizer.encode(blank, addSpecialTokens: false).count == 1
            ? "with a blank before it, it is one: \(option) \"\(blank.escapedForTerminal)\""
            : "give one of them, such as \(option) \"\(first)\""
        throw CommandError(
            "\(option) \"\(text.escapedForTerminal)\" is \(ids.count) tokens: \(pieces)\(ids.count > 8 ? " ..." : "")",
            remedy: remedy, exitCode: 2)
    }
}
