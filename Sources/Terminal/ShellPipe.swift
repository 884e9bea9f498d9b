#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The reason why text could not be passed on to standard output or to a shell command.
package enum PipeError: Error, Equatable {
    case cannotRun(String, code: Int32)
    /// The system shell found no command in this line.
    case noCommand(String)
    case cannotKeep(code: Int32)
    case cannotWrite(String, code: Int32)
}

/// Passes text on to standard output and to shell commands.
package enum ShellPipe {
    /// Writes text to standard output.
    ///
    /// - Returns: Whether somebody reads; false if the reader of a pipe has gone.
    package static func write(_ text: String) throws -> Bool { try write(text, to: stdout, "standard output") }

    /// Passes text to the standard input of a shell command and waits for the command to end.
    package static func pass(_ text: String, to command: String) throws {
        fflush(stdout)
        guard let stream = popen(command, "w") else { throw PipeError.cannotRun(command, code: errno) }
        let failure = Result { try write(text, to: stream, command) }
        let status = pclose(stream)
        _ = try failure.get()
        if status != 0, (status >> 8) & 0xFF == 127 { throw PipeError.noCommand(command) }
    }

    /// Passes text to a shell command and returns what it prints on standard output. Meanwhile standard output goes to a
    /// temporary file.
    package static func printed(_ text: String, by command: String) throws -> String {
        fflush(stdout)
        let file = tmpfile()
        let saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
        defer {
            if let file { fclose(file) }
            if saved >= 0 { close(saved) }
        }
        guard let file, saved >= 0, dup2(fileno(file), STDOUT_FILENO) >= 0 else {
            throw PipeError.cannotKeep(code: errno)
        }
        defer { dup2(saved, STDOUT_FILENO) }
        try pass(text, to: command)
        rewind(file)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes all bytes of a text, including NUL, at which `fputs` would stop.
    private static func write(_ text: String, to stream: UnsafeMutablePointer<FILE>, _ name: String) throws -> Bool {
        let bytes = Array(text.utf8)
        errno = 0
        let written = fwrite(bytes, 1, bytes.count, stream)
        let failed = fflush(stream) != 0 || written < bytes.count
        let reason = errno
        clearerr(stream)
        if failed, reason != EPIPE { throw PipeError.cannotWrite(name, code: reason) }
        return !failed
    }
}
