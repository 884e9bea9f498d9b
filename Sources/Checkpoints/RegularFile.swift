internal import HDF5

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A regular file open for reading. It is opened once, by descriptor, without waiting for FIFOs; errors are
/// `CheckpointError`.
final class RegularFile: Sendable {
    /// The path as it was given.
    let path: String
    /// Bytes the file had when it was opened.
    let size: Int
    private let watch: FileWatch
    private let descriptor: Int32

    /// - Parameter remedy: what to do when it is not a regular file, or not there.
    init(_ path: String, remedy: String = "check the path") throws {
        let descriptor = openForReading(path)
        guard descriptor >= 0 else { throw Self.openingFailed(path, errno, remedy) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = close(descriptor)
            throw CheckpointError(.notRegular, file: path, problem: "this is not a regular file", remedy: remedy)
        }
        guard let stamp = FileStamp(descriptor) else {
            let code = errno
            _ = close(descriptor)
            throw Self.system(path, "the file cannot be examined", code)
        }
        self.path = path
        self.size = stamp.size
        watch = FileWatch(stamp, path: path)
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Bytes of the file, which must be within it.
    func read(_ range: Range<Int>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        try bytes.withUnsafeMutableBytes { try read(range, into: $0) }
        return bytes
    }

    /// Reads bytes of the file, which must be within it, into memory of that size.
    func read(_ range: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < range.count {
            let count = pread(
                descriptor, target.baseAddress.map { $0 + done }, min(range.count - done, 1 << 30),
                off_t(range.lowerBound + done))
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw Self.system(path, "reading the file failed", errno) }
            if count == 0 {
                try checkUnchanged()
                throw Self.system(path, "reading the file failed", EIO)
            }
            done += count
        }
    }

    /// Throws if the file is now smaller than when it was opened, since reading its map would end the process, or if
    /// another program wrote to it, since what was read of it before belongs to other bytes.
    func checkUnchanged() throws {
        guard let change = try watch.change(descriptor) else { return }
        throw CheckpointError(.changed, file: path, problem: change.problem(size: size), remedy: "open it again")
    }

    /// The file's name, device, inode, size and time of writing, as they were when it was opened.
    var state: String { watch.opened.words(path: path) }

    /// Maps the whole file, which must not be empty; nothing is read until it is touched.
    func map() throws -> MappedFile {
        try checkUnchanged()
        return try MappedFile(descriptor: descriptor, size: size, path: path)
    }

    /// What the operating system refused, by `errno`.
    static func system(_ path: String, _ problem: String, _ code: Int32) -> CheckpointError {
        let remedy =
            switch code {
            case EMFILE: "each file of weights stays open; raise the limit: ulimit -n"
            case ENOSPC, EDQUOT: "free some space"
            default: "check the disk and the permissions"
            }
        return CheckpointError(
            .system, file: path, problem: "\(problem) (\(String(cString: strerror(code))))", remedy: remedy)
    }

    private static func openingFailed(_ path: String, _ code: Int32, _ remedy: String) -> CheckpointError {
        guard code == ENOENT || code == ENOTDIR else { return system(path, "the file cannot be opened", code) }
        // Folders of a download cache are made of links, whose targets may have been cleaned away.
        var status = stat()
        let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        return CheckpointError(
            .notFound, file: path,
            problem: isLink ? "this is a link to a file that is not there" : "there is no such file", remedy: remedy)
    }
}

extension RegularFile {
    /// Reads all of the file, as it was when it was opened, if it has at most `limit` bytes.
    func whole(limit: Int, remedy: String) throws -> [UInt8] {
        guard size <= limit else {
            throw CheckpointError(
                .limit, file: path, problem: "the file has \(size) bytes, more than \(limit)", remedy: remedy)
        }
        let bytes = try read(0..<size)
        try checkUnchanged()
        return bytes
    }
}

/// Reads a whole regular file of at most `limit` bytes.
func readFile(_ path: String, limit: Int, remedy: String) throws -> [UInt8] {
    try RegularFile(path, remedy: remedy).whole(limit: limit, remedy: remedy)
}
