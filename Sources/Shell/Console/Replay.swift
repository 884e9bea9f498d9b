import Language
import TerminalText
import Terminal

/// A transcript that was run again in a session of its own: the output that its commands print now, compared with the
/// output that the transcript holds.
struct Replay {
    struct Result {
        /// The command with its output, and the prompt at which it ran.
        let entry: Transcript.Entry
        let comparison: OutputComparison
    }

    let file: String
    private(set) var results: [Result] = []
    private(set) var updated: Transcript

    /// Runs the commands of a transcript and compares their output.
    ///
    /// - Parameters:
    ///   - transcript: The transcript.
    ///   - file: The name of the transcript, for messages.
    ///   - path: The resolved path of the transcript.
    ///   - tolerance: The tolerance for commands for which the transcript states none.
    ///   - interpreter: The interpreter whose command replays the transcript.
    /// - Throws: `Interruption` if the user cancels the replay, and `CommandError` if a command follows the one that
    ///   ends the session.
    init(
        _ transcript: Transcript, file: String, path: String, tolerance: Transcript.Tolerance,
        in interpreter: Interpreter
    ) throws {
        self.file = file
        updated = transcript
        let outer = interpreter.session
        let tape = Tape()
        let session = Session(within: outer, tape: tape)
        defer {
            session.stop()
            outer.progress.setEnabled(outer.settings.progress)
        }
        let inner = try Interpreter(session, replaying: path, within: interpreter)
        let entries = transcript.entries
        // The lines are counted as if the commands were piped into nacre one after another.
        var line = 1
        var index = 0
        while index < entries.count {
            let entry = entries[index]
            guard session.exitCode == nil else {
                throw CommandError(
                    "\(file.escapedForTerminal):\(entry.line): the session has ended before this command",
                    remedy: "take it out, or the exit before it")
            }
            defer { line += entry.commandLines }
            if entry.isComment {
                compare(index, entry.prompt, [], tolerance)
                index += 1
                continue
            }
            let status = inner.run(entry.command, from: .script(file: Transcript.origin, line: line))
            if status == .interrupted { throw Self.interruption(file, entry.line) }
            let printed = tape.take()
            guard let own = printed.first else { preconditionFailure("\(entry.command) has not been echoed") }
            // The commands of a script are printed, too. A transcript may hold them or not.
            let inScript = printed.dropFirst()
            let following = entries[(index + 1)...].prefix(inScript.count)
            if !inScript.isEmpty, following.map(\.command) == inScript.map(\.command) {
                for piece in printed {
                    compare(index, piece.prompt, piece.lines, tolerance)
                    index += 1
                }
            } else {
                compare(index, own.prompt, printed.flatMap(\.lines), tolerance)
                index += 1
            }
        }
        // The user pressed Ctrl-C while the last command was ending.
        if Interrupts.takeInterruption() { throw Self.interruption(file, entries.last?.line ?? 1) }
    }

    private static func interruption(_ file: String, _ line: Int) -> Interruption {
        Interruption(
            message: "interrupted at \(file.escapedForTerminal):\(line); this session and the file are as they were")
    }

    private mutating func compare(
        _ index: Int, _ prompt: String, _ lines: [Tape.Line], _ tolerance: Transcript.Tolerance
    ) {
        let entry = updated.entries[index]
        let comparison = OutputComparison(entry.output, printed: lines, tolerance: entry.tolerance ?? tolerance)
        updated.entries[index].prompt = prompt
        updated.entries[index].output = comparison.updated
        results.append(Result(entry: entry, comparison: comparison))
    }

    var differing: [Result] { results.filter { !$0.comparison.holds } }
}
