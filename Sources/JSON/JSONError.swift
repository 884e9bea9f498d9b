/// Why a text is no JSON.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name that the parser was given.
    package let file: String
    /// Where the first wrong byte is: lines and columns count from 1, columns count bytes.
    package let line: Int
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
