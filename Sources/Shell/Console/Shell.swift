import Language
import LineEditor
import Workbench
import Terminal

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The tasks and options that the command line gave.
package struct Invocation {
    package var files: [String] = []
    package var configuration: String?
    /// The commands of `-c`, in the order in which they were given.
    package var commands: [String] = []
    package var script: String?
    package var scriptArguments: [String] = []
    package var echo = false
    package var keepGoing = false
    package var noInit = false
    package var allowShell = false
    package var overwrite = false
    /// The settings that flags gave, as text.
    package var settings: [(key: Settings.Key, value: String)] = []

    package init() {}
}

/// The program. It opens the files, then runs the commands of `-c`, then the script. Without commands and a script it
/// reads from the prompt or from standard input.
package enum Shell {
    /// Runs the program.
    ///
    /// - Returns: The exit code.
    package static func run(_ invocation: Invocation) -> Int32 {
        Interrupts.openStandardDescriptors()
        let hasTask = !invocation.commands.isEmpty || invocation.script != nil
        let stdinIsTerminal = isatty(STDIN_FILENO) != 0
        let isInteractive = !hasTask && stdinIsTerminal
        var settings = Settings(threads: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        do {
            for (key, value) in invocation.settings { try settings.set(key, to: value, origin: "command line") }
        } catch {
            Diagnostics.write("nacre: \(CommandError.words(error))")
            return 2
        }
        let variable = "$\(Kernel.variable.name)"
        do {
            if let name = Kernel.variable.value { try settings.set(.kernel, to: name, origin: variable) }
        } catch {
            Diagnostics.write("nacre: \(variable): \(CommandError.words(error))")
            return 2
        }
        let session = Session(
            settings: settings, isInteractive: isInteractive,
            scriptRights: Rights(shell: invocation.allowShell, overwrite: invocation.overwrite))
        defer { session.close() }
        session.progress.setEnabled(settings.progress)
        Interrupts.install(control: session.control)
        let interpreter = Interpreter(session)
        interpreter.keepsGoing = invocation.keepGoing
        var worst: Int32 = 0

        /// Records the exit code of a status and returns whether the program should continue.
        func proceed(_ status: Interpreter.Status) -> Bool {
            switch status {
            case .done: break
            case .interrupted: worst = 130
            case .failed(let code): worst = code
            }
            return session.exitCode == nil && status != .interrupted && (status == .done || invocation.keepGoing)
        }

        if !invocation.noInit, let path = initFile {
            do {
                if !proceed(interpreter.runScript(try TextFile.read(path), file: path, rights: .all)), !isInteractive {
                    return session.exitCode ?? worst
                }
            } catch {
                Diagnostics.write("nacre: \(CommandError.words(error))")
                worst = 1
                if !isInteractive { return worst }
            }
        }
        interpreter.echoes = invocation.echo
        for file in invocation.files {
            let config = invocation.configuration.map { " --config \(Quoting.quote($0))" } ?? ""
            // As in sqlite3, a run without a prompt prints only the answers of its commands.
            let line = "open \(Quoting.quote(file))\(config)"
            if !proceed(interpreter.run(line, from: .commandLine, quietly: !isInteractive)), !isInteractive {
                return session.exitCode ?? worst
            }
        }
        for command in invocation.commands {
            for line in Parser.commands(in: command) {
                if !proceed(interpreter.run(line.text, from: .commandLine)) { return session.exitCode ?? worst }
            }
        }
        if let script = invocation.script {
            do {
                let text = try TextFile.read(script)
                _ = proceed(interpreter.runScript(text, file: script, arguments: invocation.scriptArguments))
            } catch {
                Diagnostics.write("nacre: \(CommandError.words(error))")
                worst = 1
            }
        }
        if hasTask { return session.exitCode ?? worst }
        if isInteractive { return prompt(interpreter) }
        // Each command runs as soon as it is complete, so that another program can hold a conversation.
        let input = StandardInput()
        var pending = PendingCommand()
        var firstLine = 1
        var lineNumber = 0
        reading: while true {
            // The user pressed Ctrl-C while a command was ending.
            if Interrupts.takeInterruption() { return 130 }
            switch input.readLine() {
            case .line(let line):
                lineNumber += 1
                if pending.append(line), pending.byteCount <= Parser.mostBytes { continue }
            case .interrupted:
                return 130
            case .endOfInput:
                break reading
            }
            if !proceed(interpreter.runScript(pending.text, file: "stdin", firstLine: firstLine)) {
                return session.exitCode ?? worst
            }
            pending = PendingCommand()
            firstLine = lineNumber + 1
        }
        if !pending.isEmpty { _ = proceed(interpreter.runScript(pending.text, file: "stdin", firstLine: firstLine)) }
        return session.exitCode ?? worst
    }

    /// Reads lines from the terminal and runs them until `exit` or Ctrl-D.
    private static func prompt(_ interpreter: Interpreter) -> Int32 {
        let session = interpreter.session
        let editor = LineEditor(applicationName: "nacre", historyPath: historyPath)
        let completer = Completer(session)
        editor.completer = { line, cursor in completer.complete(line, cursor: cursor) }
        session.history = { editor.entries }
        Diagnostics.write("nacre \(Session.version). help lists the commands; Ctrl-D leaves.")
        while session.exitCode == nil {
            var pending = PendingCommand()
            var prompt = session.prompt
            reading: while true {
                switch editor.readLine(prompt: prompt) {
                case .line(let line):
                    if !pending.append(line) { break reading }
                    prompt = String(repeating: ".", count: max(1, session.prompt.count - 2)) + "> "
                case .interrupted:
                    pending = PendingCommand()
                    break reading
                case .endOfInput:
                    if pending.isEmpty { return 0 }
                    break reading
                }
            }
            editor.remember(pending.text)
            if let failure = editor.historyFailure { Diagnostics.write("warning: \(failure)") }
            // A pasted block of text may hold several commands.
            for command in Parser.commands(in: pending.text) {
                if interpreter.run(command.text, from: .prompt) != .done || session.exitCode != nil { break }
            }
        }
        return session.exitCode ?? 0
    }

    private static var initFile: String? {
        let folder = Environment.value("XDG_CONFIG_HOME") ?? Environment.value("HOME").map { "\($0)/.config" }
        guard let path = folder.map({ "\($0)/nacre/rc" }), access(path, F_OK) == 0 else { return nil }
        return path
    }

    private static var historyPath: String? {
        if let path = Environment.value("NACRE_HISTORY") { return path }
        let folder = Environment.value("XDG_STATE_HOME") ?? Environment.value("HOME").map { "\($0)/.local/state" }
        return folder.map { "\($0)/nacre/history" }
    }
}
