import Checkpoints
import ArgumentParser
import Control
import Language
import Reports
import TerminalText
import Workbench
import Terminal

/// An interpreter that runs lines of the shell's language in a session.
package final class Interpreter {
    package let session: Session
    /// The arguments `$1` and so on of the scripts that are running, the innermost last. The first entry is that of the
    /// prompt and has none.
    private var arguments: [[String]] = [[]]
    private var depth: Int { arguments.count - 1 }
    /// The paths of the transcripts that are being replayed, the outermost first.
    let replayed: [String]
    /// Whether a command is running, so that a command of a script is known not to be the outermost.
    private var isRunning = false
    /// Whether every command is printed before its output.
    package var echoes = false
    /// Whether scripts continue after an error.
    package var keepsGoing = false

    package init(_ session: Session) {
        self.session = session
        replayed = []
    }

    /// Makes an interpreter that runs the commands of a transcript in a session of their own, on behalf of a command of
    /// another interpreter.
    ///
    /// - Parameters:
    ///   - session: The session of the transcript.
    ///   - path: The resolved path of the transcript.
    ///   - outer: The interpreter whose command replays the transcript.
    /// - Throws: `CommandError` if scripts are nested too deep, or if the transcript replays itself.
    init(_ session: Session, replaying path: String, within outer: Interpreter) throws {
        try outer.checkNesting("does \(path.escapedForTerminal) replay itself?")
        guard !outer.replayed.contains(path) else {
            throw CommandError(
                "\(path.escapedForTerminal) is being replayed already", remedy: "a transcript can't replay itself")
        }
        self.session = session
        replayed = outer.replayed + [path]
        arguments = outer.arguments.map { _ in [] } + [[]]
        // The outer command handles the signals.
        isRunning = true
        echoes = true
        keepsGoing = true
    }

    /// The place of a command, for messages.
    package enum Origin: Equatable {
        case prompt
        case commandLine
        case script(file: String, line: Int)
    }

    /// The result of running a command.
    package enum Status: Equatable {
        case done
        case failed(code: Int32)
        case interrupted
    }

    /// Runs one command and prints its report, or the reason why it failed. A command that throws an error defines no
    /// name. A command that fails after its report, such as `replay`, keeps its result.
    ///
    /// - Parameters:
    ///   - text: The line.
    ///   - origin: The place of the command.
    ///   - quietly: Whether nothing but errors is printed.
    package func run(_ text: String, from origin: Origin, quietly: Bool = false) -> Status {
        // Ctrl-C between two commands of a script stops the script.
        if origin != .prompt, Interrupts.takeInterruption() {
            session.control.reset()
            report("interrupted", origin: origin)
            return .interrupted
        }
        if isRunning { return perform(text, from: origin, quietly: quietly) }
        isRunning = true
        defer { isRunning = false }
        return Interrupts.endingCleanly { perform(text, from: origin, quietly: quietly) }
    }

    private func perform(_ text: String, from origin: Origin, quietly: Bool) -> Status {
        let started = Clock.seconds()
        let cpu = Clock.usage().cpu
        session.control.reset()
        session.runs.operations = 0
        _ = session.takePremises()
        let hasOwnOutput = session.output.beginCommand()
        var status = Status.done
        var hasPrinted = false
        do {
            if echoes, origin != .prompt { try echo(text) }
            let failure = try execute(text, origin: origin, quietly: quietly)
            hasPrinted = true
            if let failure { throw failure }
            if session.settings.timer { printTimer(since: started, cpu: cpu) }
        } catch is CancellationError {
            _ = Interrupts.takeInterruption()
            session.progress.clear()
            report("interrupted; nothing was changed", origin: origin)
            status = .interrupted
        } catch let error as UnfinishedCapture where error.cause is CancellationError {
            _ = Interrupts.takeInterruption()
            session.progress.clear()
            report("interrupted; \(error.kept); the same command goes on from there", origin: origin)
            status = .interrupted
        } catch let error as Interruption {
            _ = Interrupts.takeInterruption()
            session.progress.clear()
            report(error.message, origin: origin)
            status = .interrupted
        } catch let error as ScriptStopped {
            status = error.status
        } catch is ReaderGone {
            // As other programs do, a script ends without a word when nobody reads what it prints.
            session.exitCode = ReaderGone.exitCode
            status = .failed(code: ReaderGone.exitCode)
        } catch {
            session.progress.clear()
            report(Self.message(session.advised(error)), origin: origin)
            // What the command would have said beside its numbers may explain why there are none.
            tell(session.takePremises())
            status = .failed(code: CommandError(error)?.exitCode ?? (error is ParserError ? 2 : 1))
        }
        session.progress.clear()
        if origin == .prompt { _ = Interrupts.takeInterruption() }
        if hasOwnOutput {
            do {
                try session.output.endCommand(keepsFile: hasPrinted)
            } catch {
                report(Self.message(error), origin: origin)
                status = .failed(code: 1)
            }
        }
        return status
    }

    /// The error of a nested script, which has already reported why it stopped.
    private struct ScriptStopped: Error {
        let status: Status
    }

    /// Executes a line.
    ///
    /// - Returns: The reason why the command has failed although it has printed its report, or nil if it has succeeded.
    /// - Throws: Any error of parsing or of the command.
    private func execute(_ text: String, origin: Origin, quietly: Bool) throws -> CommandError? {
        let expansion = Expansion(
            lookup: { self.session.variables[$0] }, known: { self.session.variables.sorted.map(\.name) },
            arguments: arguments[depth])
        let line = try Parser.parse(text, expanding: expansion)
        guard let first = line.words.first else { return nil }
        let command = try resolve(first.text, allowsPrefix: origin == .prompt)
        if line.redirect != nil, Parser.takesExpression(command.verb) {
            throw CommandError(
                "after \(first.text.escapedForTerminal) the signs > and | send output elsewhere",
                remedy: "write \(command.verb) in full to compare", exitCode: 2)
        }
        var words = line.words
        words[0].text = command.verb
        session.commandLine = (line.target.map { "\($0) = " } ?? "") + Quoting.line(words)
        session.target = line.target
        session.isRedirected = line.redirect != nil
        if let target = line.target {
            guard command.traits.makesValue else {
                throw CommandError(
                    "\(command.verb) makes nothing that could be named", remedy: "leave out \(target) =", exitCode: 2)
            }
            try checkTarget(target)
        }
        if command.traits.needsCheckpoint, session.current == nil { throw Session.noCheckpoint }
        let file = try prepare(line.redirect)
        let argumentWords = Array(line.words.dropFirst())
        let arguments = try CommandSyntax.of(command).arguments(
            Parser.takesExpression(command.verb) ? Condition.tokens(argumentWords, in: text) : argumentWords,
            verb: command.verb)
        var outcome: Outcome
        do {
            outcome = try parse(command, arguments, origin)
            outcome.add(notes: session.takePremises())
        } catch let help as HelpShown {
            try emit(Report(text: help.text), line.redirect, file)
            return nil
        }
        if let value = outcome.value {
            if let target = line.target { session.define(target, value) }
            session.setLast(value)
        }
        session.progress.clear()
        if line.target != nil || command.traits.changesState {
            try session.recorder?.record(session.commandLine)
        }
        if let report = outcome.report, !quietly { try emit(report, line.redirect, file) } else { try file?.commit() }
        return outcome.failure
    }

    private struct HelpShown: Error {
        let text: String
    }

    private func parse(
        _ command: (some Command).Type, _ arguments: [String], _ origin: Origin
    ) throws -> Outcome {
        var parsed: any Command
        do {
            parsed = try command.parse(arguments)
        } catch {
            if command.exitCode(for: error) == .success { throw HelpShown(text: Help.page(command)) }
            throw CommandError(
                Self.oneLine(command.message(for: error)), remedy: "see help \(command.verb)", exitCode: 2)
        }
        if let script = parsed as? any InterpretedCommand { return try script.run(in: self, from: origin) }
        return try parsed.run(in: session)
    }

    private func resolve(_ verb: String, allowsPrefix: Bool) throws -> any Command.Type {
        if let exact = Registry.find(verb) { return exact }
        let shown = verb.escapedForTerminal
        switch PrefixMatch.resolve(verb, among: Registry.verbs) {
        case .unique(let name) where allowsPrefix: return Registry.find(name)!
        case .unique(let name):
            throw CommandError("\(shown) is short for \(name)", remedy: "scripts spell commands out", exitCode: 2)
        case .ambiguous(let names) where allowsPrefix:
            throw CommandError(
                "\(shown) could be \(names.joined(separator: ", "))", remedy: "write more of it", exitCode: 2)
        default:
            let close = Suggestion.closest(to: verb, among: Registry.verbs)
            throw CommandError(
                "there is no command \(shown)",
                remedy: close.map { "did you mean \($0)?" } ?? "help lists the commands", exitCode: 2)
        }
    }

    private func checkTarget(_ name: String) throws {
        if name == "it" { throw CommandError("it is the last result", remedy: "choose another name") }
        if case .checkpoint? = session.value(named: name) {
            throw CommandError(
                "\(name) is an open checkpoint", remedy: "choose another name, or close \(name) first")
        }
    }

    // MARK: Output

    /// Opens the file for the line's output before the command runs, so that no work is lost if the file is refused.
    private func prepare(_ redirect: ParsedLine.Redirect?) throws -> OutputFile? {
        switch redirect {
        case .pipe?:
            guard session.rights.shell else {
                throw CommandError(
                    "shell commands are off in scripts", remedy: Rights.remedy("--allow-shell"), exitCode: 2)
            }
            return nil
        case .file(let path, let append)?: return try session.outputFile(expandTilde(path), append: append)
        case nil: return nil
        }
    }

    private func emit(_ report: Report, _ redirect: ParsedLine.Redirect?, _ file: OutputFile?) throws {
        switch redirect {
        case .pipe(let command)?:
            // The output of the shell command may reach the terminal, so control characters are escaped.
            try session.output.pipe(render(report, size: nil, isTerminal: false, isSafe: true), to: command)
        case .file?:
            try file?.write(render(report, size: nil, isTerminal: false))
            try file?.commit()
        case nil:
            let size = session.output.terminalSize
            let text = render(report, size: size, isTerminal: session.output.isTerminal)
            if let size, session.isInteractive, session.settings.pager, text.utf8.count(where: { $0 == 10 }) > size.rows
            {
                do {
                    try session.output.pipe(text, to: Self.pager)
                } catch is PipeError {
                    // The text is still shown if the pager can't be run.
                    try session.output.write(text)
                }
            } else {
                try session.output.write(text)
            }
        }
        if !session.settings.mode.holdsNotes { tell(report.notes) }
    }

    private func render(
        _ report: Report, size: (columns: Int, rows: Int)?, isTerminal: Bool, isSafe: Bool? = nil
    ) -> String {
        let wantsColor =
            switch session.settings.color {
            case "always": true
            case "never": false
            default: isTerminal && !Environment.isSet("NO_COLOR")
            }
        let (palette, isASCII) = session.pictureOptions(isColored: wantsColor)
        let options = RenderOptions(
            width: size?.columns, color: wantsColor, palette: palette, isASCII: isASCII,
            escapesControls: isSafe ?? isTerminal, guardsFormulas: session.settings.csvGuard)
        return session.settings.mode.renderer(options).render(report)
    }

    private static var pager: String { Environment.value("PAGER") ?? "less -FRX" }

    private func printTimer(since start: Double, cpu: Double) {
        let wall = Clock.seconds() - start
        let usage = Clock.usage()
        var text = "wall \(NumberFormat.significant(wall)) s, cpu \(NumberFormat.significant(usage.cpu - cpu)) s,"
        text += " peak memory \(NumberFormat.bytes(usage.peakBytes))"
        if session.runs.operations > 0 {
            text += ", \(NumberFormat.significant(session.runs.operations / wall * 1e-9)) GFLOP/s"
        }
        session.diagnose(text)
    }

    private func echo(_ text: String) throws {
        guard let tape = session.output.tape else { return try session.output.write(line: session.prompt + text) }
        tape.begin(prompt: session.prompt, command: text)
    }

    /// Prints notes outside the output.
    private func tell(_ notes: [String]) { notes.forEach { session.diagnose($0.escapedForTerminal) } }

    /// Prints an error. All errors reach the terminal here, so text from files is made safe for the terminal here, too.
    private func report(_ message: String, origin: Origin) {
        let message = message.escapedForTerminal
        let place =
            switch origin {
            case .prompt: "error"
            case .commandLine: "nacre"
            case .script(let file, let line): "\(file.escapedForTerminal):\(line)"
            }
        guard let tape = session.output.tape else { return Diagnostics.write("\(place): \(message)") }
        let isOwn = if case .script(Transcript.origin, _) = origin { true } else { false }
        tape.write(Tape.Line("\(place): \(message)", message: isOwn ? message : nil))
    }

    private static func message(_ error: any Error) -> String { oneLine(CommandError.words(error)) }

    private static func oneLine(_ text: String) -> String {
        text.split(separator: "\n").map { $0.hasPrefix("Error: ") ? $0.dropFirst(7) : $0[...] }.joined(separator: "; ")
    }

    // MARK: Scripts

    /// Runs the commands of a text one after another.
    ///
    /// - Parameters:
    ///   - text: The script.
    ///   - file: The name of the script, for messages.
    ///   - arguments: The values of `$1` and so on.
    ///   - firstLine: The number of the text's first line, for messages.
    ///   - rights: What the script's lines may do; nil for what the command line gave scripts.
    /// - Returns: `.done`, or the status of the command that stopped the script. With `keepsGoing` it is the status of
    ///   the last command that failed.
    package func runScript(
        _ text: String, file: String, arguments: [String] = [], firstLine: Int = 1, rights: Rights? = nil
    ) -> Status {
        self.arguments.append(arguments)
        let outer = session.rights
        session.rights = rights ?? session.scriptRights
        defer {
            self.arguments.removeLast()
            session.rights = outer
        }
        var worst = Status.done
        for command in Parser.commands(in: text.withLineFeeds) {
            let status = run(command.text, from: .script(file: file, line: command.line + firstLine - 1))
            if session.exitCode != nil { return status }
            if status == .interrupted { return status }
            if status != .done {
                if !keepsGoing { return status }
                worst = status
            }
        }
        return worst
    }

    /// Runs a script file on behalf of a command.
    ///
    /// - Parameter rights: What its lines may do.
    /// - Throws: `CommandError` if scripts are nested too deep. An error if the script can't be read or a command of it
    ///   fails.
    func source(_ path: String, arguments: [String], rights: Rights) throws {
        try checkNesting("does \(path.escapedForTerminal) source itself?")
        let status = runScript(try TextFile.read(path), file: path, arguments: arguments, rights: rights)
        if status != .done { throw ScriptStopped(status: status) }
    }

    private func checkNesting(_ question: String) throws {
        guard depth < Session.deepestNesting else {
            throw CommandError("scripts are nested \(Session.deepestNesting) deep", remedy: question)
        }
    }
}
