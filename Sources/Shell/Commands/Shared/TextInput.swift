import ArgumentParser
import Language
import Workbench

/// The text of a command, which may become a user's turn in the checkpoint's chat template.
struct TextInput: ParsableArguments {
    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String]
    @OptionGroup var turn: TurnOptions

    /// Returns the text as a checkpoint sees it. The command's report says if its marks are doubled, or missing.
    ///
    /// - Parameter isRun: Whether the model is to read it, so that it must not be too long.
    func encoded(_ checkpoint: LoadedCheckpoint, _ session: Session, isRun: Bool = true) throws -> EncodedPrompts {
        try checkpoint.encode(turn.set([text.joined(separator: " ")]), in: session.context(), isRun: isRun)
    }

    func ids(_ checkpoint: LoadedCheckpoint, _ session: Session) throws -> [Int32] {
        try encoded(checkpoint, session).ids[0]
    }
}

/// How the text of a command becomes tokens: as it stands, as a user's turn in the chat template, or as a text that the
/// template rendered before.
struct TurnOptions: ParsableArguments {
    @Flag(help: "Put the text into the chat template as the user's turn.") var chat = false
    @Option(help: "The system message that goes with --chat.") var system: String?
    @Flag(help: "The text was rendered by a chat template: add nothing, not even BOS.") var rendered = false

    /// Whether one of the options is given.
    var areGiven: Bool { chat || rendered || system != nil }

    /// Returns texts of the command line as a set.
    ///
    /// - Throws: `CommandError` if options contradict one another.
    func set(_ texts: [String]) throws -> PromptSet {
        guard chat || system == nil else {
            throw CommandError("--system goes with --chat", remedy: "add --chat", exitCode: 2)
        }
        guard !chat || !rendered else {
            throw CommandError(
                "--chat renders the text, and --rendered says that it is rendered", remedy: "leave out one of them",
                exitCode: 2)
        }
        return PromptSet(texts: texts, isChat: chat, system: system, isRendered: rendered)
    }

    /// Returns the set of prompts that `--prompts` names, or the text as a set.
    ///
    /// - Parameters:
    ///   - words: The words of the text, of which there are none with `--prompts`.
    ///   - need: What the command takes, for the error, such as `loss takes a text`.
    ///   - isStudied: Whether each distinct prompt counts once.
    /// - Throws: `CommandError` unless exactly one of the two is given, and for options of a text that come with a set.
    func set(
        _ words: [String], or prompts: String?, _ need: String, isStudied: Bool = true, in session: Session
    ) throws -> PromptSet {
        guard words.isEmpty != (prompts == nil) else {
            throw CommandError(
                "\(need) or --prompts", remedy: "give one of the two: NAME = prompts FILE makes a set", exitCode: 2
            )
        }
        guard let prompts else { return try set([words.joined(separator: " ")]) }
        guard !areGiven else {
            throw CommandError(
                "--chat, --rendered and --system go with a text",
                remedy: "read the set with: \(prompts) = prompts FILE --chat or --rendered", exitCode: 2)
        }
        return try isStudied ? session.studied(named: prompts) : session.prompts(named: prompts)
    }
}
