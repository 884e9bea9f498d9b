import Checkpoints
import Language
import TerminalText
import Terminal

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A file that is being written. Its content stays in a temporary file beside the final name until `commit`, so that an
/// existing file is never changed in place and a failure leaves nothing behind. Devices, pipes and files that are
/// appended to are written directly.
package final class OutputFile {
    package let path: String
    private let descriptor: Int32
    /// The path of the temporary file. It is nil after the commit, and for a file that is written directly.
    private var temporary: String?
    private let overwrites: Bool

    /// Opens a file for writing.
    ///
    /// - Parameters:
    ///   - path: The file's name. A symbolic link is followed.
    ///   - append: Whether the text is added to what the file holds.
    ///   - overwrite: Whether an existing regular file may be replaced, which is otherwise refused.
    /// - Throws: `CommandError` if the file can't be opened, and `CancellationError` if Ctrl-C interrupted the opening
    ///   of a pipe.
    package init(_ path: String, append: Bool = false, overwrite: Bool) throws {
        guard !path.isEmpty else { throw CommandError("the name of a file is empty", remedy: "give one", exitCode: 2) }
        var status = stat()
        let exists = stat(path, &status) == 0
        // A symbolic link is followed, so that the file to which it points is the one that is replaced.
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
            // The user pressed Ctrl-C while the opening of a pipe waited for its reader.
            if errno == EINTR { throw CancellationError() }
            throw Self.failure(path, errno)
        }
        temporary = staged ? target : nil
        if staged, exists { fchmod(descriptor, status.st_mode & 0o7777) }
    }

    deinit {
        // The committed text is on the disk. Text that was written after the commit may turn out only now not to be.
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

    /// Gives the file its final name. Text that is written later is added to that file.
    ///
    /// - Throws: `CommandError` if the file can't be flushed or renamed.
    package func commit() throws {
        guard let temporary else { return }
        // Some file systems can't flush a file and report EINVAL. Nothing more can be done on them.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path, errno) }
        if overwrites {
            guard rename(temporary, path) == 0 else { throw Self.failure(path, errno) }
        } else {
            // Unlike `rename`, `link` fails if a file of that name has appeared in the meantime.
            guard link(temporary, path) == 0 else { throw Self.failure(path, errno) }
            unlink(temporary)
        }
        self.temporary = nil
        try TargetFolder.flush(of: path)
    }

    private static func failure(_ path: String, _ reason: Int32) -> CommandError {
        CommandError(
            "can't write \(path.escapedForTerminal): \(String(cString: strerror(reason)))",
            remedy: reason == EEXIST
                ? "choose another name, or start nacre with --overwrite"
                : "check the folder, its space and who may write there")
    }
}
