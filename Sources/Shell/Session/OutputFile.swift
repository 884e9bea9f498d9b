import Checkpoints
import Language
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A file that is being written: beside its final name until `commit`, so that an existing file is never changed
/// in place and a failure leaves nothing. Devices, pipes and files that are appended to are written as they are.
package final class OutputFile {
    package let path: String
    private let descriptor: Int32
    /// Where the text is until it is committed; nil once it is, or if it never was elsewhere.
    private var temporary: String?
    private let overwrites: Bool

    /// - Parameters:
    ///   - append: adds to what is there.
    ///   - overwrite: replaces an existing file; otherwise one is refused.
    package init(_ path: String, append: Bool = false, overwrite: Bool) throws {
        guard !path.isEmpty else { throw CommandError("the name of a file is empty", remedy: "give one", exitCode: 2) }
        var status = stat()
        let exists = stat(path, &status) == 0
        // A link is followed, so that the file it names is what is replaced.
        let resolved = exists ? realpath(path, nil) : nil
        defer { free(resolved) }
        let path = resolved.map { String(cString: $0) } ?? path
        self.path = path
        overwrites = overwrite
        let isRegular = status.st_mode & S_IFMT == S_IFREG
        if exists, isRegular, !append, !overwrite { throw Self.failure(path, EEXIST) }
        let staged = !append && !(exists && !isRegular)
        let target = staged ? "\(path).\(getpid()).tmp" : path
        let flags = O_WRONLY | O_CLOEXEC | O_CREAT | (staged ? O_EXCL : append ? O_APPEND : 0)
        #if canImport(Glibc)
            descriptor = Glibc.open(target, flags, 0o644)
        #else
            descriptor = Darwin.open(target, flags, 0o644)
        #endif
        guard descriptor >= 0 else {
            // Ctrl-C while a pipe waits for its reader.
            if errno == EINTR { throw CancellationError() }
            throw Self.failure(path, errno)
        }
        temporary = staged ? target : nil
        if staged, exists { fchmod(descriptor, status.st_mode & 0o7777) }
    }

    deinit {
        // What was committed is on the disk; what was written afterwards may turn out only now not to be.
        if descriptor >= 0, close(descriptor) != 0, temporary == nil, errno != EINTR {
            Diagnostics.write("\(Self.failure(path, errno))")
        }
        if let temporary { unlink(temporary) }
    }

    package func write(_ text: String) throws { try write(Array(text.utf8)) }

    package func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                #else
                    Darwin.write(descriptor, $0.baseAddress, $0.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure(path, errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the file its name; what is written later goes there too.
    package func commit() throws {
        guard let temporary else { return }
        // Some file systems cannot flush and say EINVAL; there is nothing more to do there.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path, errno) }
        if overwrites {
            guard rename(temporary, path) == 0 else { throw Self.failure(path, errno) }
        } else {
            // Unlike rename, link refuses a file that has come into being meanwhile.
            guard link(temporary, path) == 0 else { throw Self.failure(path, errno) }
            unlink(temporary)
        }
        self.temporary = nil
        try TargetFolder.flush(of: path)
    }

    private static func failure(_ path: String, _ reason: Int32) -> CommandError {
        CommandError(
            "can't write \(path.escapedForTerminal): \(String(cString: strerror(reason)))",
            remedy: reason == EEXIST ? "choose another name, or start nacre with --overwrite" : nil)
    }
}
