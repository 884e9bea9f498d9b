import HDF5
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The reason why a file of text, or another file that is not HDF5, can't be written.
package enum OutputError: Error, Equatable {
    case noName
    /// A file of that name exists, and may not be replaced.
    case exists(String)
    /// Text may be added only to files that the session made itself.
    case notOwn(String)
    /// A device, a pipe or a socket, to which a script may not write.
    case notRegular(String)
    /// The operating system refuses, with the number of its error.
    case system(String, code: Int32)
}

/// The files that a session writes.
package final class OwnFiles {
    /// Those that it has made, by which a script is known to add to no other.
    fileprivate var made: Set<FileStamp.Identity> = []
    /// Tells of text that is found not to be written only when its file is closed, and nothing can be thrown any more.
    fileprivate let report: (OutputError) -> Void

    package init(report: @escaping (OutputError) -> Void = { _ in }) { self.report = report }
}

/// A file that is being written. Its content stays in a temporary file beside the final name until it is committed, so
/// that an existing file is never changed in place and a failure leaves nothing behind. Devices, pipes and files that
/// are appended to are written directly.
package final class OutputFile {
    /// When the file takes its final name.
    package enum Naming {
        /// When `commit` is called.
        case atCommit
        /// When the first whole line has been written, as for a log that grows. What is written later is added to it.
        case atFirstLine
    }

    package let path: String
    private let descriptor: Int32
    /// The path of the temporary file. It is nil after the commit, and for a file that is written directly.
    private var temporary: String?
    private let overwrites: Bool
    private let naming: Naming
    private let own: OwnFiles

    /// Opens a file for writing.
    ///
    /// - Parameters:
    ///   - path: The file's name. A symbolic link is followed.
    ///   - append: Whether the text is added to what the file holds.
    ///   - overwrite: Whether files that the session did not make may be replaced, added to, or be devices and pipes.
    ///     Standard output, standard error and `/dev/null` always may.
    ///   - own: The files that the session has made, to which this one is added.
    ///   - naming: When the file takes its name.
    /// - Throws: `OutputError` if the file can't be opened, and `CancellationError` if Ctrl-C interrupted the opening of
    ///   a pipe.
    package init(
        _ path: String, append: Bool = false, overwrite: Bool, own: OwnFiles = OwnFiles(), naming: Naming = .atCommit
    ) throws {
        guard !path.isEmpty else { throw OutputError.noName }
        var status = stat()
        let exists = stat(path, &status) == 0
        let isRegular = status.st_mode & S_IFMT == S_IFREG
        let existing = exists ? FileStamp(path: path)?.identity : nil
        // A symbolic link is followed, so that the file to which it points is the one that is replaced.
        let target = exists ? FilePlacement.realPath(path) ?? path : path
        self.path = target
        (overwrites, self.own, self.naming) = (overwrite, own, naming)
        // To replace the file that standard output goes to, or to write over its beginning, would lose what is in it.
        if let existing,
            let standard = [STDOUT_FILENO, STDERR_FILENO].first(where: { FileStamp($0)?.identity == existing })
        {
            descriptor = fcntl(standard, F_DUPFD_CLOEXEC, 0)
            guard descriptor >= 0 else { throw OutputError.system(path, code: errno) }
            return
        }
        if exists, !overwrite {
            guard isRegular || target == "/dev/null" else { throw OutputError.notRegular(target) }
            if isRegular, !append { throw OutputError.exists(target) }
            if isRegular, existing.map(own.made.contains) != true { throw OutputError.notOwn(target) }
        }
        if !append, !exists || isRegular {
            let created = try FilePlacement.createTemporary(beside: target) { OutputError.system(target, code: $0) }
            (temporary, descriptor) = (created.path, created.descriptor)
            if exists { fchmod(descriptor, status.st_mode & 0o7777) }
            return
        }
        // Whoever may not overwrite adds to a file that the session made, or begins one, which then must be new.
        let flags =
            O_WRONLY | O_CLOEXEC | (append ? O_APPEND : 0) | (exists ? 0 : O_CREAT)
            | (!exists && !overwrite ? O_EXCL : 0)
        descriptor = open(target, flags, 0o666)
        guard descriptor >= 0 else {
            // The user pressed Ctrl-C while the opening of a pipe waited for its reader.
            if errno == EINTR { throw CancellationError() }
            throw errno == EEXIST ? OutputError.exists(target) : OutputError.system(target, code: errno)
        }
        let identity = FileStamp(descriptor)?.identity
        // Another file may have taken the name meanwhile.
        if exists, identity != existing { throw OutputError.notOwn(target) }
        if !exists, let identity { own.made.insert(identity) }
    }

    deinit {
        // The committed text is on the disk. Text that was written after the commit may turn out only now not to be.
        if descriptor >= 0, close(descriptor) != 0, temporary == nil, errno != EINTR {
            own.report(.system(path, code: errno))
        }
        if let temporary { FilePlacement.discard(temporary: temporary) }
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
                throw OutputError.system(path, code: errno)
            }
            rest = rest.dropFirst(count)
        }
        if naming == .atFirstLine, temporary != nil, bytes.contains(UInt8(ascii: "\n")) { try commit() }
    }

    /// Gives the file its final name, unless it has it. Text that is written later is added to that file.
    ///
    /// - Throws: `OutputError` if the file can't be flushed or renamed.
    package func commit() throws {
        guard let temporary else { return }
        // Some file systems can't flush a file and report EINVAL. Nothing more can be done on them.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw OutputError.system(path, code: errno) }
        do {
            try FilePlacement.move(temporary, to: path, overwrite: overwrites)
            FilePlacement.forget(temporary: temporary)
            self.temporary = nil
            if let identity = FileStamp(descriptor)?.identity { own.made.insert(identity) }
            try TargetFolder.flush(of: path)
        } catch let error as HDF5Error {
            throw error.kind == .exists ? OutputError.exists(path) : error
        }
    }
}
