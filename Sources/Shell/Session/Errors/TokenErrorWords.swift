import Language
import TerminalText
import Workbench

extension LoadedCheckpoint {
    /// Returns the one token that the text of an option stands for, within the model's vocabulary.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - option: The option's name, for the error message.
    /// - Throws: `CommandError` that names the option and says what the text is instead of one token.
    func token(_ text: String, _ option: String) throws -> Int32 {
        do {
            return try token(of: text)
        } catch let error as TokenError {
            switch error {
            case .empty:
                throw CommandError("\(option) is empty", remedy: "give one token, such as \" Paris\"", exitCode: 2)
            case .outsideVocabulary:
                throw CommandError(
                    "\(option) \(error)", remedy: "give a token that it can answer with", exitCode: 2)
            case .several(let text, _, let pieces, let isOneAfterBlank):
                let remedy =
                    isOneAfterBlank
                    ? "with a blank before it, it is one: \(option) \"\(" \(text)".escapedForTerminal)\""
                    : "give one of them, such as \(option) \"\((pieces.first ?? "").escapedForTerminal)\""
                throw CommandError("\(option) \(error)", remedy: remedy, exitCode: 2)
            }
        }
    }
}
