import ArgumentParser
import Language
import Workbench

/// The text of a command, which may become a user's turn in the checkpoint's chat template.
struct TextInput: ParsableArguments {
    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String]
    @Flag(help: "Put the text into the chat template as the user's turn.") var chat = false
    @Option(help: "The system message that goes with --chat.") var system: String?

    func ids(_ checkpoint: LoadedCheckpoint) throws -> [Int32] {
        try checkpoint.encode(text: text, chat: chat, system: system)
    }
}

extension LoadedCheckpoint {
    /// Returns the token ids of the words of a command line, joined by blanks, or of a user's turn in the chat template
    /// that consists of these words.
    ///
    /// - Throws: `CommandError` if a system message is given without `chat`. An error if the text can't be encoded.
    func encode(text: [String], chat: Bool, system: String?) throws -> [Int32] {
        let joined = text.joined(separator: " ")
        guard chat || system == nil else {
            throw CommandError("--system goes with --chat", remedy: "add --chat", exitCode: 2)
        }
        guard chat else { return try encode(joined) }
        return try encode(turn: joined, system: system)
    }
}
