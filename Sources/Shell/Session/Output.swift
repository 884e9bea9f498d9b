package import Checkpoints
package import Language
import Terminal
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The reader of standard output has gone, as `head` does after its last line.
struct ReaderGone: Error {
    /// The exit code of a program that such a pipe ends: 128 and the number of SIGPIPE.
    static let exitCode: Int32 = 141
}

/// The place to which the output of commands goes: standard output, a file, a pipe or a pager.
package final class Output {
    /// The file that `output FILE` named, or nil for standard output.
    private var file: OutputFile?
    /// The file that `once FILE` named, which waits for the next command.
    private var pending: OutputFile?
    /// The file that receives only the running command's output.
    private var once: OutputFile?
    /// The tape that takes the place of standard output while a transcript is replayed.
    package let tape: Tape?

    /// Whether the session ends when nobody reads standard output any more.
    private let endsWithReader: Bool

    package init(tape: Tape? = nil, endsWithReader: Bool = false) {
        self.tape = tape
        self.endsWithReader = endsWithReader
    }

    private var current: OutputFile? { once ?? file }

    package var isTerminal: Bool { current == nil && tape == nil && isatty(STDOUT_FILENO) != 0 }

    /// The number of columns and rows of the terminal. It is nil when the output does not go to a terminal.
    package var terminalSize: (columns: Int, rows: Int)? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Sends the output from now on to a file, or to standard output again if the file is nil. The file takes its name with
    /// the first line.
    package func redirect(to file: OutputFile?) throws {
        // A file to which nothing was written is there all the same.
        try self.file?.commit()
        self.file = file
    }

    /// Sends the next command's output to a file.
    package func redirectNext(to file: OutputFile) { pending = file }

    /// Prepares the output for a command that is about to run.
    ///
    /// - Returns: Whether `endCommand` must be called after the command.
    package func beginCommand() -> Bool {
        guard let pending else { return false }
        once = pending
        self.pending = nil
        return true
    }

    /// Ends the output to the running command's own file.
    ///
    /// - Parameter keepsFile: Whether the command has printed everything that belongs into that file, which is
    ///   otherwise discarded.
    /// - Throws: `CommandError` if the file can't be written.
    package func endCommand(keepsFile: Bool) throws {
        defer { once = nil }
        if keepsFile { try once?.commit() }
    }

    /// Writes text to the current destination.
    ///
    /// - Throws: `CommandError` if the text can't be written, for example because the disk is full. `ReaderGone` if the
    ///   reader of standard output has gone and the session ends with it; at the prompt that is no error.
    package func write(_ text: String) throws {
        if let current {
            try current.write(text)
        } else if let tape {
            tape.write(text)
        } else {
            if try !ShellPipe.write(text), endsWithReader { throw ReaderGone() }
        }
    }

    /// Writes a line of a script. On a terminal its control characters are shown as escapes.
    func write(line: String) throws {
        try write((isTerminal ? line.escapedForTerminal(keepingLineBreaks: true) : line) + "\n")
    }

    /// Writes what files still hold back, at the end of the session.
    package func finish() throws {
        pending = nil
        try redirect(to: nil)
    }

    /// Passes text to the standard input of a shell command and waits for the command to end.
    package func pipe(_ text: String, to command: String) throws {
        guard let tape else { return try ShellPipe.pass(text, to: command) }
        tape.write(try ShellPipe.printed(text, by: command))
    }
}
