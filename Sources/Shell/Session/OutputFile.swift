import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A text file that is being written.
package final class OutputFile {
    package let path: String
    private let descriptor: Int32

    /// - Parameters:
    ///   - append: adds to what is there.
    ///   - overwrite: replaces an existing file; otherwise one is refused.
    package init(_ path: String, append: Bool = false, overwrite: Bool) throws {
        self.path = path
        var flags = O_WRONLY | O_CREAT | O_CLOEXEC
        if append { flags |= O_APPEND } else { flags |= overwrite ? O_TRUNC : O_EXCL }
        #if canImport(Glibc)
            descriptor = Glibc.open(path, flags, 0o644)
        #else
            descriptor = Darwin.open(path, flags, 0o644)
        #endif
        guard descriptor >= 0 else {
            let reason = errno
            throw CommandError(
                "can't write \(path.escapedForTerminal): \(String(cString: strerror(reason)))",
                remedy: reason == EEXIST ? "choose another name, or start nacre with --overwrite" : nil)
        }
    }

    deinit { close(descriptor) }

    package func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
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
                throw CommandError("can't write \(path.escapedForTerminal): \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }
}
