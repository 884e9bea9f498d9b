internal import CReadline
internal import TerminalText

#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// What reading a line came to.
package enum LineResult: Sendable, Equatable {
    case line(String)
    /// Ctrl-D on an empty line, or the end of what was piped in.
    case endOfInput
    /// Ctrl-C: the line was given up. The cursor is on a fresh line.
    case interrupted
}

/// The prompt: GNU readline with history and completion on a terminal, plain lines from anywhere else.
///
/// One may be alive at a time, and only one thread may use it. While a line is read, and only then, SIGINT is handled
/// here, and `readLine` answers `.interrupted`; before it returns the process's own action is put back. So a session
/// installs its SIGINT handler once, for commands that run, and does nothing about it around `readLine`. Worker threads
/// should block SIGINT and SIGWINCH, or a Ctrl-C that one of them takes is seen up to a second late.
///
/// A pasted text with several lines arrives as one `.line` with line breaks in it (bracketed paste).
package final class LineEditor {
    /// Given the line and the cursor's byte offset, what TAB may put there. It should answer at once.
    package var completer: ((_ line: String, _ cursorByteOffset: Int) -> Completion?)?
    /// The last thing that went wrong with the history file.
    package private(set) var historyFailure: LineEditorError?

    private let applicationName: String
    private let history: HistoryFile?
    private let input = StandardInput()
    private var lastEntry: String?
    private var isStarted = false

    /// - Parameters:
    ///   - applicationName: What `$if` in the user's inputrc compares with.
    ///   - historyPath: Created with mode 0600, with its folders, at the first command; nil keeps none.
    package init(applicationName: String, historyPath: String?) {
        self.applicationName = applicationName
        history = historyPath.map(HistoryFile.init)
    }

    deinit {
        if isStarted { nacre_readline_complete_with(nil, nil) }
    }

    /// Whether lines are edited: standard input and standard output are both terminals.
    package var isTerminal: Bool { isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 }

    /// The next line without its line break. The prompt may hold colour codes, `ESC [ … m`.
    package func readLine(prompt: String) -> LineResult {
        guard isTerminal else {
            if isatty(STDIN_FILENO) != 0 { writePlain(prompt) }
            return input.readLine()
        }
        start()
        var line: UnsafeMutablePointer<CChar>?
        switch nacre_readline_read(Prompt.bracketed(prompt), &line) {
        case NACRE_LINE:
            guard let line else { return .endOfInput }
            defer { nacre_line_free(line) }
            return .line(String(cString: line))
        case NACRE_INTERRUPTED: return .interrupted
        default: return .endOfInput
        }
    }

    /// Keeps a command, all its lines if it has several, for arrow-up and for later sessions. Not kept: one that
    /// begins with a blank, one equal to the last, an empty one.
    package func remember(_ command: String) {
        guard Self.isWorthKeeping(command, after: lastEntry) else { return }
        guard isTerminal else { return }
        start()
        lastEntry = command
        nacre_history_add(command)
        do throws(LineEditorError) {
            try history?.append(command)
        } catch {
            historyFailure = error
        }
    }

    static func isWorthKeeping(_ command: String, after last: String?) -> Bool {
        guard let first = command.utf8.first, command != last else { return false }
        return first != UInt8(ascii: " ") && first != UInt8(ascii: "\t") && !command.utf8.contains(0)
            && command.utf8.contains { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
    }

    /// The history from the oldest entry to the newest.
    package var entries: [String] {
        var entries: [String] = []
        while let entry = nacre_history_entry(CInt(entries.count)) { entries.append(String(cString: entry)) }
        return entries
    }

    private func start() {
        guard !isStarted else { return }
        isStarted = true
        // Readline keeps the pointer.
        nacre_readline_start(strdup(applicationName))
        nacre_readline_complete_with(
            { line, cursor, context in
                guard let line, let context else { return }
                Unmanaged<LineEditor>.fromOpaque(context).takeUnretainedValue()
                    .complete(String(cString: line), cursor: cursor)
            }, Unmanaged.passUnretained(self).toOpaque())
        nacre_history_limit(CInt(HistoryFile.entryLimit))
        do throws(LineEditorError) {
            for entry in try history?.load() ?? [] {
                nacre_history_add(entry)
                lastEntry = entry
            }
        } catch {
            historyFailure = error
        }
    }

    private func complete(_ line: String, cursor: Int) {
        let beforeCursor = String(decoding: line.utf8.prefix(cursor), as: UTF8.self)
        guard let completion = completer?(line, cursor), let plan = CompletionPlan(completion, line: beforeCursor)
        else { return }
        nacre_completion_begin(plan.replaceStart, plan.common, CChar(bitPattern: plan.append ?? 0))
        for entry in plan.entries {
            nacre_completion_add(entry.inserted, entry.shown, CInt(clamping: entry.shown.displayWidth))
        }
    }

    private func writePlain(_ prompt: String) {
        // Standard output is a file or a pipe, which wants no prompts in it.
        var bytes = Array(prompt.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
