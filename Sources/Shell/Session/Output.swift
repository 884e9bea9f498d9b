import Reports
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Where what commands print goes: standard output, a file, a pipe, a pager.
package final class Output {
    /// The file of `output FILE`; nil: standard output.
    private var file: OutputFile?
    /// The file of `once FILE`, waiting for the next command.
    private var pending: OutputFile?
    /// The file of the running command alone.
    private var once: OutputFile?
    package init() {}

    private var current: OutputFile? { once ?? file }

    package var isTerminal: Bool { current == nil && isatty(STDOUT_FILENO) != 0 }

    /// The terminal's columns and rows; nil when output does not go to one.
    package var terminalSize: (columns: Int, rows: Int)? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Sends what follows to a file; nil: to standard output again.
    package func redirect(to file: OutputFile?) throws {
        try file?.commit()
        self.file = file
    }

    /// Sends the next command's output to a file.
    package func redirectNext(to file: OutputFile) { pending = file }

    /// Called before a command; whether `endCommand` must follow it.
    package func beginCommand() -> Bool {
        guard let pending else { return false }
        once = pending
        self.pending = nil
        return true
    }

    /// - Parameter succeeded: whether the command's own file is kept.
    package func endCommand(succeeded: Bool) throws {
        defer { once = nil }
        if succeeded { try once?.commit() }
    }

    /// - Throws: `CommandError` when the disk is full. A reader that has gone is no error.
    package func write(_ text: String) throws {
        if let current {
            try current.write(text)
        } else {
            try Self.write(text, to: stdout, "standard output")
        }
    }

    /// Gives text to a shell command's standard input and waits for it.
    package func pipe(_ text: String, to command: String) throws {
        fflush(stdout)
        guard let stream = popen(command, "w") else {
            throw CommandError("can't run \(command.escapedForTerminal): \(String(cString: strerror(errno)))")
        }
        let failure = Result { try Self.write(text, to: stream, command) }
        let status = pclose(stream)
        try failure.get()
        if status != 0, (status >> 8) & 0xFF == 127 {
            throw CommandError("the shell found no command for: \(command.escapedForTerminal)")
        }
    }

    /// All bytes, NUL too, which `fputs` would stop at.
    private static func write(
        _ text: String, to stream: UnsafeMutablePointer<FILE>, _ name: String
    ) throws {
        let bytes = Array(text.utf8)
        errno = 0
        let written = fwrite(bytes, 1, bytes.count, stream)
        let failed = fflush(stream) != 0 || written < bytes.count
        let reason = errno
        clearerr(stream)
        if failed, reason != EPIPE {
            throw CommandError("can't write to \(name.escapedForTerminal): \(String(cString: strerror(reason)))")
        }
    }
}
