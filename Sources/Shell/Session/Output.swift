package import Checkpoints
package import Language
import Reports
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
            let isRead = try Self.write(text, to: stdout, "standard output")
            if !isRead, endsWithReader { throw ReaderGone() }
        }
    }

    /// Writes what files still hold back, at the end of the session.
    package func finish() throws {
        pending = nil
        try redirect(to: nil)
    }

    /// Passes text to the standard input of a shell command and waits for the command to end.
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
        _ = try failure.get()
        if status != 0, (status >> 8) & 0xFF == 127 {
            throw CommandError("the shell found no command for: \(command.escapedForTerminal)")
        }
    }

    /// Runs a closure and returns the text that it, and the programs that it starts, write to standard output.
    /// Meanwhile standard output goes to a temporary file.
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

    /// Writes all bytes of a text, including NUL, at which `fputs` would stop.
    ///
    /// - Returns: Whether somebody reads; false if the reader of a pipe has gone.
    @discardableResult
    private static func write(
        _ text: String, to stream: UnsafeMutablePointer<FILE>, _ name: String
    ) throws -> Bool {
        let bytes = Array(text.utf8)
        errno = 0
        let written = fwrite(bytes, 1, bytes.count, stream)
        let failed = fflush(stream) != 0 || written < bytes.count
        let reason = errno
        clearerr(stream)
        if failed, reason != EPIPE {
            throw CommandError("can't write to \(name.escapedForTerminal): \(String(cString: strerror(reason)))")
        }
        return !failed
    }
}
