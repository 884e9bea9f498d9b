import ArgumentParser
import Language
import Workbench

/// The text of a command, which may become a user's turn in the checkpoint's chat template.
struct TextInput: ParsableArguments {
    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String]
    @OptionGroup var turn: TurnOptions

    /// The words of the command line, joined by blanks.
    var joined: String { text.joined(separator: " ") }

    /// Whether the text that the model sees has no special tokens but its own.
    var isRendered: Bool { turn.chat || turn.rendered }

    func ids(_ checkpoint: LoadedCheckpoint, _ session: Session) throws -> [Int32] {
        try turn.ids(joined, checkpoint, session)
    }
}

/// How the text of a command becomes tokens: as it stands, as a user's turn in the chat template, or as a text that the
/// template rendered before.
struct TurnOptions: ParsableArguments {
    @Flag(help: "Put the text into the chat template as the user's turn.") var chat = false
    @Option(help: "The system message that goes with --chat.") var system: String?
    @Flag(help: "The text was rendered by a chat template: add nothing, not even BOS.") var rendered = false

    /// Returns the token ids of a text.
    ///
    /// - Throws: `CommandError` if options contradict one another. An error if the text can't be encoded.
    func ids(_ text: String, _ checkpoint: LoadedCheckpoint, _ session: Session) throws -> [Int32] {
        guard chat || system == nil else {
            throw CommandError("--system goes with --chat", remedy: "add --chat", exitCode: 2)
        }
        guard !chat || !rendered else {
            throw CommandError(
                "--chat renders the text, and --rendered says that it is rendered", remedy: "leave out one of them",
                exitCode: 2)
        }
        if rendered { return try checkpoint.encode(text, isRendered: true) }
        return try session.ids(text, checkpoint, isChat: chat, system: system)
    }
}

extension Session {
    /// Returns the token ids of a text of the command line, which becomes a user's turn in the chat template if `isChat`
    /// says so. The command's report says if the text already begins as it would then begin.
    func ids(_ text: String, _ checkpoint: LoadedCheckpoint, isChat: Bool, system: String? = nil) throws -> [Int32] {
        if let mark = checkpoint.doubledMark(in: [text], isChat: isChat)?.mark {
            add(.doubledMark(mark, set: nil, count: 1, total: 1))
        }
        return isChat ? try checkpoint.encode(turn: text, system: system) : try checkpoint.encode(text)
    }
}
