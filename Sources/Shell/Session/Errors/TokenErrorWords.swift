import Language
import TerminalText
import Workbench

extension LoadedCheckpoint {
    /// The one token that an option's text is, within the model's vocabulary.
    ///
    /// - Throws: `CommandError` that names the option and says what the text is instead.
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
