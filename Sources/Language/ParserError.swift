/// A reason why a command line could not be read.
package struct ParserError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with the command line and how to mend it; the text is safe for a terminal.
    package var message: String
    /// The error's place in the command's text, in bytes of UTF-8.
    package var offset: Int
    /// The error's place in its line, in characters, from 1.
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
