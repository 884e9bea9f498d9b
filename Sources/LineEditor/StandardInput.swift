#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Lines of standard input when it is not edited: a pipe or a file.
///
/// `Swift.readLine` loops for ever at the end of input once a signal has interrupted it (it looks at an `errno` that
/// end of file does not set), so bytes are read here.
package final class StandardInput {
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    package init() {}

    /// The next line without its line break; `.interrupted` when a signal came before it was complete.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    package func readLine() -> LineResult {
        while true {
            if let newline = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[start..<newline], as: UTF8.self)
                start = newline + 1
                return .line(line)
            }
            if isAtEnd {
                guard start < buffer.count else { return .endOfInput }
                let line = String(decoding: buffer[start...], as: UTF8.self)
                start = buffer.count
                return .line(line)
            }
            buffer.removeFirst(start)
            start = 0
            let size = buffer.count
            buffer.append(contentsOf: repeatElement(0, count: 65_536))
            let count = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress! + size, 65_536) }
            let failure = errno
            buffer.removeLast(65_536 - max(0, count))
            if count < 0, failure == EINTR { return .interrupted }
            if count <= 0 { isAtEnd = true }
        }
    }
}
