/// The lines of a text that hold more than blanks, with their numbers from 1, and those between them that do not.
package struct NumberedLines {
    package let lines: [(number: Int, text: Substring)]
    /// The numbers of the lines of blanks alone. Those after the last other line are no loss, and left out.
    package let blank: [Int]

    /// - Parameter isBreak: whether a character ends a line: unless told otherwise, a line feed, a carriage return, as in
    ///   files of old Macs, or both together, which Swift takes for one Character.
    package init(_ text: String, isBreak: (Character) -> Bool = { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }) {
        var lines: [(number: Int, text: Substring)] = []
        var blank: [Int] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: isBreak).enumerated() {
            if line.allSatisfy(\.isWhitespace) { blank.append(index + 1) } else { lines.append((index + 1, line)) }
        }
        self.lines = lines
        self.blank = Array(blank.prefix { $0 < lines.last?.number ?? 0 })
    }
}
