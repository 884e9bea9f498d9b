import JSON
import TerminalText
import Tokenizers

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The journal of a capture in progress: what is being captured, and which prompts are done.
///
/// One JSON object a line. The first says what the capture is and what the data file looked like before its first
/// value; each further line is a section: prompts that follow those of the line before, and the digest of their values.
/// A line counts once it ends in a newline, and it is written only after what it speaks of is on the disk. The journal
/// is locked as long as somebody writes it.
final class CaptureJournal {
    struct Header: Equatable {
        var identity: CaptureIdentity
        /// Size of the data file.
        var byteCount: Int
        /// Digest of its bytes outside all values.
        var skeleton: String
    }

    struct Section: Equatable {
        var prompts: Range<Int>
        var digest: String
    }

    private static let format = "nacre-capture-journal"
    private static let version = 1
    /// More than any journal has: 64 bytes of digest for each of a million sections.
    private static let limit = 256 << 20

    let path: String
    private let descriptor: Int32
    /// Nil until a capture has begun.
    private(set) var header: Header?
    private(set) var sections: [Section] = []
    /// Bytes up to the end of the last line that counts, after each line.
    private var ends: [Int] = []

    /// Opens or creates the journal and locks it; nil if its last owner removed it, or its folder, meanwhile.
    ///
    /// - Parameter restart: what it says is not read, and will be overwritten.
    /// - Throws: `CheckpointError`: somebody else holds it, or it is damaged.
    init?(_ path: String, target: String, restart: Bool) throws {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o666)
        #else
            let descriptor = Darwin.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o666)
        #endif
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw RegularFile.system(path, "the journal cannot be opened", errno)
        }
        // Unlike flock's, this lock is not inherited by the children that read HDF5 files.
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN) else {
            _ = close(descriptor)
            throw Self.isHeld(target)
        }
        // A lock on a file that has no name any more keeps nobody away.
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
            _ = close(descriptor)
            return nil
        }
        self.path = path
        self.descriptor = descriptor
        // From here on deinit closes it, whatever is thrown.
        if !restart { try read() }
    }

    static func isHeld(_ target: String) -> CheckpointError {
        CheckpointError(
            .inconsistent, file: target, problem: "another program is capturing to this file",
            remedy: "wait for it, or give another name")
    }

    deinit { _ = close(descriptor) }

    /// Whether there is a journal that nobody has locked. Not to be asked of one that this process holds.
    static func isWaiting(_ path: String) -> Bool {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        #else
            let descriptor = Darwin.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        #endif
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type == Int16(F_UNLCK)
    }

    /// Starts anew.
    func begin(_ header: Header) throws {
        guard ftruncate(descriptor, 0) == 0 else { throw RegularFile.system(path, "writing failed", errno) }
        ends = []
        sections = []
        let parts = header.identity.parts.map { "\($0.name.jsonQuoted): \($0.value.jsonQuoted)" }
        try append(
            "{\"format\": \(Self.format.jsonQuoted), \"version\": \(Self.version), \"bytes\": \(header.byteCount),"
                + " \"skeleton\": \(header.skeleton.jsonQuoted), \"identity\": {\(parts.joined(separator: ", "))}}")
        self.header = header
    }

    /// Notes prompts whose values are on the disk.
    func append(_ section: Section) throws {
        try append(
            "{\"prompts\": [\(section.prompts.lowerBound), \(section.prompts.upperBound)],"
                + " \"sha256\": \(section.digest.jsonQuoted)}")
        sections.append(section)
    }

    /// Forgets all but the first sections.
    func keep(_ count: Int) throws {
        guard count < sections.count else { return }
        sections.removeSubrange(count...)
        ends.removeSubrange((count + 1)...)
        guard ftruncate(descriptor, off_t(ends[count])) == 0, fsync(descriptor) == 0 else {
            throw RegularFile.system(path, "writing failed", errno)
        }
    }

    private func append(_ line: String) throws {
        let start = ends.last ?? 0
        let bytes = Array((line + "\n").utf8)
        // Whatever an unfinished line left is overwritten.
        guard ftruncate(descriptor, off_t(start)) == 0 else {
            throw RegularFile.system(path, "writing failed", errno)
        }
        try bytes.withUnsafeBytes { try writeAll(descriptor, $0, at: start, path) }
        guard fsync(descriptor) == 0 else { throw RegularFile.system(path, "writing to the disk failed", errno) }
        ends.append(start + bytes.count)
    }

    private func read() throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw damaged("it is no regular file")
        }
        guard status.st_size <= Self.limit else { throw damaged("it is too large") }
        let bytes = try readAll(descriptor, count: Int(status.st_size), path)
        var start = 0
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            try parse(Array(bytes[start..<end]))
            start = end + 1
            ends.append(start)
        }
        // What follows the last newline was being written when the power went; it counts for nothing.
    }

    private func parse(_ line: [UInt8]) throws {
        guard let json = try? JSONValue(parsing: line, file: path) else {
            throw damaged("line \(ends.count + 1) is no JSON")
        }
        guard header != nil else {
            guard json["format"]?.string == Self.format, let version = json["version"]?.int else {
                throw damaged("it does not begin as one")
            }
            guard version == Self.version else { throw damaged("it has version \(version), not \(Self.version)") }
            guard let byteCount = json["bytes"]?.int, let skeleton = json["skeleton"]?.string,
                let members = json["identity"]?.object?.members
            else { throw damaged("its first line lacks a part") }
            let parts = members.map { CaptureIdentity.Part($0.key, $0.value.string ?? "") }
            header = Header(identity: CaptureIdentity(parts), byteCount: byteCount, skeleton: skeleton)
            return
        }
        guard let first = json["prompts"]?[0]?.int, let end = json["prompts"]?[1]?.int,
            let digest = json["sha256"]?.string, first == sections.last?.prompts.upperBound ?? 0, first < end
        else { throw damaged("line \(ends.count + 1) does not follow from the one before") }
        sections.append(Section(prompts: first..<end, digest: digest))
    }

    private func damaged(_ problem: String) -> CheckpointError {
        CheckpointError(
            .inconsistent, file: path, problem: "the journal is damaged: \(problem)",
            remedy: "discard what is there with --restart")
    }
}

/// Writes all bytes at an offset.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int, _ path: String) throws {
    var done = 0
    while done < bytes.count {
        let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw RegularFile.system(path, "writing failed", count < 0 ? errno : EIO) }
        done += count
    }
}

/// Reads `count` bytes from an offset; fewer only at the end of the file.
func readAll(_ descriptor: Int32, at offset: Int = 0, count: Int, _ path: String) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = 0
        while filled < count {
            let step = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
            if step < 0, errno == EINTR { continue }
            if step < 0 { failure = errno }
            if step <= 0 { break }
            filled += step
        }
    }
    guard failure == 0 else { throw RegularFile.system(path, "reading failed", failure) }
    return bytes
}
