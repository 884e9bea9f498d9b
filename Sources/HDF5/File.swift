#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// An HDF5 file open for reading. It is opened once, by descriptor; nothing in it can make us open another path.
package final class File: Sendable {
    /// The path as it was given.
    package let path: String
    /// Bytes the file had when it was opened.
    package let size: Int
    private let watch: FileWatch
    package let limits: Limits
    /// Everything in the file, found and checked when it was opened.
    package let contents: Contents
    let descriptor: Int32

    /// Opens a regular file for reading and lists what is in it.
    ///
    /// A FIFO or a device is refused without waiting for it. The file stays locked against writers (where the file
    /// system can lock). Throws `HDF5Error`.
    package init(_ path: String, limits: Limits = Limits()) throws {
        let descriptor = openForReading(path)
        guard descriptor >= 0 else { throw HDF5Error.opening(path, errno) }
        do {
            let size = try File.regularSize(descriptor, path)
            guard let stamp = FileStamp(descriptor) else {
                throw HDF5Error.system(path, "the file cannot be examined", errno)
            }
            try File.checkSignature(descriptor, path, size)
            try File.lock(descriptor, path)
            let walk = Walk(descriptor: descriptor, path: path, size: size, limits: limits)
            self.contents = try walk.contents()
            self.path = path
            self.size = size
            watch = FileWatch(stamp, path: path)
            self.limits = limits
            self.descriptor = descriptor
        } catch {
            _ = close(descriptor)
            throw error
        }
    }

    deinit {
        // A child process may still hold the lock together with us.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }

    /// Throws if the file is now smaller than when it was opened, since reading its map would end the process, or if
    /// another program wrote to it, since what was read of it before belongs to other bytes.
    ///
    /// - Parameter compare: says whether the contents are still those that were opened, for a file of which the times
    ///   alone changed; it must read them from the map.
    package func checkUnchanged(compare: (FileStamp.Change) throws -> FileContents = { _ in .unknown }) throws {
        guard let change = try watch.change(descriptor, compare: compare) else { return }
        var problem = change.problem(size: size)
        if change == .status { problem += "; it records no digests that would tell" }
        var part: String?
        if case .contents(let name) = change { part = name }
        throw HDF5Error(.changed, file: path, object: part, problem: problem, remedy: "open it again")
    }

    /// The file's name, device, inode, size and time of writing, as they were when it was opened.
    package var state: String { watch.opened.words(path: path) }

    private static func regularSize(_ descriptor: Int32, _ path: String) throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw HDF5Error.system(path, "the file cannot be examined", errno)
        }
        let kind: String
        switch status.st_mode & S_IFMT {
        case S_IFREG: return Int(status.st_size)
        case S_IFDIR: kind = "a folder"
        case S_IFIFO: kind = "a FIFO"
        case S_IFSOCK: kind = "a socket"
        default: kind = "a device"
        }
        throw HDF5Error(.notRegular, file: path, problem: "this is \(kind)", remedy: "name a regular HDF5 file")
    }

    /// The signature stands at byte 0, 512, 1024, 2048, … (HDF5 file format specification, II.A).
    private static func checkSignature(_ descriptor: Int32, _ path: String, _ size: Int) throws {
        if size == 0 {
            throw HDF5Error(
                .notHDF5, file: path, problem: "the file is empty", remedy: "copy it again from where it came")
        }
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        var offset = 0
        while offset <= size - signature.count {
            var found = [UInt8](repeating: 0, count: signature.count)
            let count = found.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            if count < 0 { throw HDF5Error.system(path, "the file cannot be read", errno) }
            if found == signature { return }
            offset = offset == 0 ? 512 : offset * 2
        }
        throw HDF5Error(
            .notHDF5, file: path, problem: "this is not an HDF5 file",
            remedy: "open a Hugging Face folder or its .safetensors as they are; convert GGUF with Scripts/convert.py")
    }

    /// Whoever writes an HDF5 file holds it locked. Where the file system cannot lock, nothing is known.
    private static func lock(_ descriptor: Int32, _ path: String) throws {
        if flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw HDF5Error(
                .locked, file: path, problem: "the file is locked by another program that is writing it",
                remedy: "close it there, then try again")
        }
    }
}

extension HDF5Error {
    static func system(_ path: String, _ problem: String, _ code: Int32) -> HDF5Error {
        HDF5Error(
            .system, file: path, problem: "\(problem) (\(String(cString: strerror(code))))",
            remedy: "check the disk and the permissions")
    }

    static func opening(_ path: String, _ code: Int32) -> HDF5Error {
        switch code {
        case ENOENT, ENOTDIR:
            HDF5Error(.notFound, file: path, problem: "there is no such file", remedy: "check the path")
        case EACCES, EPERM:
            HDF5Error(
                .system, file: path, problem: "you may not read this file",
                remedy: "ask its owner, or change its permissions with chmod u+r")
        case ENXIO:
            HDF5Error(.notRegular, file: path, problem: "this is a socket", remedy: "name a regular HDF5 file")
        default: system(path, "the file cannot be opened", code)
        }
    }
}
