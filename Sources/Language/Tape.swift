/// A record of what a session of commands prints, command by command, in place of a terminal; it holds output and
/// errors in their order.
package final class Tape {
    package struct Line: Equatable {
        package var text: String
        /// The message, without its place, of the error that this line prints; nil if the line is not an error of the
        /// transcript's own commands.
        package var message: String?

        package init(_ text: String, message: String? = nil) {
            self.text = text
            self.message = message
        }
    }

    /// One command of the session with the lines that it printed.
    package struct Entry {
        package let prompt: String
        package let command: String
        package fileprivate(set) var lines: [Line] = []
    }

    private var entries: [Entry] = []
    /// The recorded output after the last line break.
    private var unfinished = ""

    package init() {}

    /// Begins the record of a command, to which all following output belongs.
    package func begin(prompt: String, command: String) {
        endLine()
        entries.append(Entry(prompt: prompt, command: command))
    }

    package func write(_ text: String) {
        var pieces = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        pieces[0] = unfinished + pieces[0]
        unfinished = pieces.removeLast()
        for piece in pieces { append(Line(piece)) }
    }

    package func write(_ line: Line) {
        endLine()
        append(line)
    }

    /// Returns all entries (commands with the lines that they printed) recorded since the last call of this.
    package func take() -> [Entry] {
        endLine()
        defer { entries = [] }
        return entries
    }

    private func endLine() {
        if !unfinished.isEmpty { append(Line(unfinished)) }
        unfinished = ""
    }

    private func append(_ line: Line) {
        guard !entries.isEmpty else { return }
        entries[entries.count - 1].lines.append(line)
    }
}
