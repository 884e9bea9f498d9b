package import Language
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
    /// Stands in for standard output when a transcript is replayed.
    package let tape: Tape?

    package init(tape: Tape? = nil) { self.tape = tape }

    private var current: OutputFile? { once ?? file }

    package var isTerminal: Bool { current == nil && tape == nil && isatty(STDOUT_FILENO) != 0 }

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

    /// - Parameter keepsFile: whether the command has printed all that belongs into its own file.
    package func endCommand(keepsFile: Bool) throws {
        defer { once = nil }
        if keepsFile { try once?.commit() }
    }

    /// - Throws: `CommandError` when the disk is full. A reader that has gone is no error.
    package func write(_ text: String) throws {
        if let current {
            try current.write(text)
        } else if let tape {
            tape.write(text)
        } else {
            try Self.write(text, to: stdout, "standard output")
        }
    }

    /// Gives text to a shell command's standard input and waits for it.
    package func pipe(_ text: String, to command: String) throws {
        guard let tape else { return try Self.pipe(text, to: command) }
        tape.write(try Self.printed { try Self.pipe(text, to: command) })
    }

    private static func pipe(_ text: String, to command: String) throws {
        fflush(stdout)
        guard let stream = popen(command, "w") else {
            throw CommandError("can't run \(command.escapedForTerminal): \(String(cString: strerror(errno)))")
        }
        let failure = Result { try write(text, to: stream, command) }
        let status = pclose(stream)
        try failure.get()
        if status != 0, (status >> 8) & 0xFF == 127 {
            throw CommandError("the shell found no command for: \(command.escapedForTerminal)")
        }
    }

    /// What `body` and the programs that it starts write to standard output, which goes to a file meanwhile.
    private static func printed(_ body: () throws -> Void) throws -> String {
        fflush(stdout)
        let file = tmpfile()
        let saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
        defer {
            if let file { fclose(file) }
            if saved >= 0 { close(saved) }
        }
        guard let file, saved >= 0, dup2(fileno(file), STDOUT_FILENO) >= 0 else {
            throw CommandError("can't keep what a shell command prints: \(String(cString: strerror(errno)))")
        }
        defer { dup2(saved, STDOUT_FILENO) }
        try body()
        rewind(file)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
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
