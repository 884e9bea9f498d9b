import Checkpoints
package import ArgumentParser
import Language
import LineEditor
import Reports

package struct RecordCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Log the commands that change the session into a script.",
        discussion: """
            Lines that name a result, open or close files or change settings are written with their verbs and variables
            spelled out, after lines that open what is open now; nacre -f FILE runs them again, from the same folder.
            record off ends it.
            """)
    package static let traits = CommandTraits(.session, kinds: ["file": .file])

    @Argument(help: "The script to write, or off.") var file: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let file else {
            return .message(Report(text: session.recorder.map { "recording to \($0.path)" } ?? "not recording"))
        }
        if file == "off" {
            session.recorder = nil
            return .none
        }
        session.recorder = try Recorder(session.outputFile(expandTilde(file), naming: .atFirstLine), of: session)
        return .none
    }
}

package struct OutputCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "output", abstract: "Send what is printed to a file; without a file, to the screen again.",
        discussion: "A file of that name stays as it is until the first line is printed, which then replaces it.")
    package static let traits = CommandTraits(.session, kinds: ["file": .file])

    @Argument(help: "The file.") var file: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        try session.output.redirect(to: file.map { try session.outputFile(expandTilde($0), naming: .atFirstLine) })
        return .none
    }
}

package struct OnceCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "once", abstract: "Send what the next command prints to a file.",
        discussion: "COMMAND > FILE does the same in one line.")
    package static let traits = CommandTraits(.session, kinds: ["file": .file])

    @Argument(help: "The file.") var file: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        session.output.redirectNext(to: try session.outputFile(expandTilde(file)))
        return .none
    }
}

package struct HistoryCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show earlier commands.",
        discussion: "Kept in $XDG_STATE_HOME/nacre/history, or where $NACRE_HISTORY says.")
    package static let traits = CommandTraits(.session)

    @Argument(help: "How many.") var count = 20

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let entries = session.history()
        let shown = entries.suffix(try checkedCount(count, "the count"))
        var table = Table("history", columns: ["number", "command"])
        for (index, entry) in shown.enumerated() {
            table.append([.integer(entries.count - shown.count + index + 1), .text(entry)])
        }
        guard !shown.isEmpty else { return .message(Report(text: "no commands yet")) }
        return .message(Report(tables: [table]))
    }
}

package struct ExitCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "exit", abstract: "Leave.", discussion: "Ctrl-D at an empty prompt does the same.")
    package static let traits = CommandTraits(.session, kinds: [:])

    @Argument(help: "The exit code.") var code: Int32 = 0

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard (0...255).contains(code) else {
            throw CommandError("an exit code is from 0 to 255", exitCode: 2)
        }
        session.exitCode = code
        return .none
    }
}
