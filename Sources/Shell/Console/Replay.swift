import Language
import TerminalText

/// A transcript run again in a session of its own: what its commands print now beside what it says.
struct Replay {
    struct Result {
        /// The command, with the prompt at which it ran.
        let entry: Transcript.Entry
        let comparison: OutputComparison
    }

    let file: String
    private(set) var results: [Result] = []
    private(set) var updated: Transcript

    /// - Parameter tolerance: of commands for which the transcript states none.
    /// - Throws: `Interruption` when cancelled, `CommandError` if a command comes after the one that leaves the session.
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
        // As if the commands were piped into nacre one after another.
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
            // A script's commands are printed, too; a transcript may have them or not.
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
        // Ctrl-C while the last command was ending.
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
