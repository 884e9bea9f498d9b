#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Commands of earlier sessions: UTF-8 text, one entry a line; a further line of an entry begins with a tab.
///
/// Several sessions may append at once. A path that is no regular file, such as /dev/null, keeps nothing.
struct HistoryFile {
    static let entryLimit = 10_000
    /// Read at most, from the end.
    static let byteLimit = 8 << 20

    let path: String

    /// The newest entries, oldest first. A file that holds more is cut down to these. No file: no entries.
    func load(limit: Int = entryLimit) throws(LineEditorError) -> [String] {
        guard let descriptor = try open(O_RDONLY) else { return [] }
        defer { close(descriptor) }
        guard let size = regularSize(descriptor), size > 0 else { return [] }
        var bytes = try read(descriptor, from: max(0, size - Self.byteLimit), to: size)
        if size > bytes.count {
            // The first line read is the rest of one.
            bytes.removeFirst((bytes.firstIndex(of: newline) ?? bytes.count - 1) + 1)
        }
        let entries = Self.entries(bytes)
        if entries.count > limit || size > Self.byteLimit {
            let kept = Array(entries.suffix(limit))
            try rewrite(kept)
            return kept
        }
        return entries
    }

    /// Adds an entry at the end, creating the file with mode 0600 and its folders with 0700.
    func append(_ entry: String) throws(LineEditorError) {
        createFolders()
        guard let descriptor = try open(O_WRONLY | O_APPEND | O_CREAT) else { return }
        defer { close(descriptor) }
        guard regularSize(descriptor) != nil else { return }
        // Commands may name what is nobody else's business, whatever the umask of an older file.
        fchmod(descriptor, 0o600)
        try write(descriptor, Self.encoded(entry))
    }

    static func encoded(_ entry: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in entry.utf8 {
            bytes.append(byte)
            if byte == newline { bytes.append(tab) }
        }
        return bytes + [newline]
    }

    static func entries(_ bytes: [UInt8]) -> [String] {
        var entries: [[UInt8]] = []
        for line in bytes.split(separator: newline, omittingEmptySubsequences: false) {
            if line.first == tab, !entries.isEmpty {
                entries[entries.count - 1] += [newline] + line.dropFirst()
            } else if !line.isEmpty {
                entries.append(Array(line))
            }
        }
        return entries.filter { !$0.contains(0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    private func rewrite(_ entries: [String]) throws(LineEditorError) {
        let target = realpath(path, nil)
        defer { free(target) }
        let final = target.map { String(cString: $0) } ?? path
        let temporary = "\(final).\(getpid())"
        let descriptor = Self.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("shorten") }
        defer { close(descriptor) }
        do {
            try write(descriptor, entries.flatMap(Self.encoded))
        } catch {
            unlink(temporary)
            throw error
        }
        if rename(temporary, final) != 0 {
            let error = failure("shorten")
            unlink(temporary)
            throw error
        }
    }

    private func createFolders() {
        let bytes = Array(path.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            // Where this fails, opening the file says why.
            mkdir(String(decoding: bytes[..<index], as: UTF8.self), 0o700)
        }
    }

    /// Nil if there is no such file.
    private func open(_ flags: CInt) throws(LineEditorError) -> CInt? {
        // Without O_NONBLOCK a named pipe in the file's place would hang the session.
        let descriptor = Self.open(path, flags | O_CLOEXEC | O_NONBLOCK)
        if descriptor >= 0 { return descriptor }
        if errno == ENOENT && flags & O_CREAT == 0 { return nil }
        throw failure(flags & O_CREAT == 0 ? "read" : "write")
    }

    private static func open(_ path: String, _ flags: CInt) -> CInt {
        #if canImport(Glibc)
            Glibc.open(path, flags, 0o600)
        #else
            Darwin.open(path, flags, 0o600)
        #endif
    }

    private func regularSize(_ descriptor: CInt) -> Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    private func read(_ descriptor: CInt, from start: Int, to end: Int) throws(LineEditorError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: end - start)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, off_t(start + filled))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read")
            }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    private func write(_ descriptor: CInt, _ bytes: [UInt8]) throws(LineEditorError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                #else
                    Darwin.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write")
            }
            written += count
        }
    }

    private func failure(_ operation: String) -> LineEditorError {
        .history(path: path, operation: operation, reason: String(cString: strerror(errno)))
    }
}

private let newline = UInt8(ascii: "\n")
private let tab = UInt8(ascii: "\t")
