/// A reason why a text is not JSON.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name that the parser was given for the text.
    package let file: String
    /// The line of the first wrong byte, from 1.
    package let line: Int
    /// The column of the first wrong byte in its line, in bytes from 1.
    package let column: Int
    package let reason: String

    package init(file: String, line: Int, column: Int, reason: String) {
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason
    }

    package var description: String { "\(file):\(line):\(column): not valid JSON: \(reason)" }
}
