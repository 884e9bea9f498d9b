import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Reads text files that a command names, such as scripts and prompts.
package enum TextFile {
    /// The size of the largest text file that is read, in bytes: 1 GiB.
    private static let limit = 1 << 30

    /// Reads a whole text file as UTF-8, without a byte order mark.
    ///
    /// - Throws: `WorkbenchError` if the file can't be read, is not a regular file, is too large, or is not UTF-8.
    package static func read(_ path: String) throws -> String {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        #else
            let descriptor = Darwin.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        #endif
        guard descriptor >= 0 else {
            if [ENOENT, ENOTDIR].contains(errno) { throw WorkbenchError.noFile(path) }
            throw WorkbenchError.unreadable(file: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw status.st_mode & S_IFMT == S_IFDIR
                ? WorkbenchError.isFolder(path) : WorkbenchError.notRegular(file: path)
        }
        let size = Int(status.st_size)
        guard size <= limit else { throw WorkbenchError.tooLargeText(file: path) }
        var filled = 0
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while filled < size {
                let step = pread(descriptor, buffer.baseAddress! + filled, size - filled, off_t(filled))
                if step < 0, errno == EINTR { continue }
                if step < 0 { failure = errno }
                if step <= 0 { break }
                filled += step
            }
            count = filled
        }
        guard failure == 0 else {
            throw WorkbenchError.unreadable(file: path, reason: String(cString: strerror(failure)))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WorkbenchError.notText(file: path)
        }
        // A byte order mark is not part of the text.
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }
}
