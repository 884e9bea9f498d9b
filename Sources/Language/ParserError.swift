/// A reason why a line could not be read.
package struct ParserError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and how to mend it; the text is safe for a terminal.
    package var message: String
    /// The place in the text, in bytes of UTF-8.
    package var offset: Int
    /// The place in its line, in characters, from 1.
    package var column: Int

    package init(_ message: String, at offset: Int, in source: [UInt8]) {
        self.message = message
        self.offset = offset
        let before = source[..<min(offset, source.count)]
        let lineStart = before.lastIndex(of: Lexer.newline).map { $0 + 1 } ?? 0
        column = String(decoding: before[lineStart...], as: UTF8.self).count + 1
    }

    package var description: String { "column \(column): \(message)" }
}
