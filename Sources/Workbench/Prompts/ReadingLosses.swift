import TerminalText

/// The lines of a file that reading left out, and those whose fields it could not use.
package struct ReadingLosses: Hashable, Sendable {
    /// The numbers of the lines, from 1, that hold nothing but blanks and stand before the last line that was read.
    package var blank: [Int] = []
    /// The numbers of the lines, from 1, whose field for the text (for the word, the sense) is empty.
    package var emptyFields: [Int] = []
    /// The numbers of the lines, from 1, that begin with # and stand after the first line that was read: those before
    /// it are the file's own comment.
    package var comments: [Int] = []
    /// The numbers of the lines, from 1, that repeat an earlier line.
    package var repeated: [Int] = []
    /// The numbers of the lines, from 1, that have no label, in a file of which other lines have one.
    package var unlabelled: [Int] = []

    package init() {}

    package var isEmpty: Bool { self == ReadingLosses() }

    /// The numbers of the lines, ascending, that hold no text, so that the texts after them have moved up.
    package var withoutText: [Int] { (blank + emptyFields).sorted() }

    /// Returns what reading left out before a line, by its number, at which it stopped.
    func before(line: Int) -> ReadingLosses {
        var losses = self
        losses.blank.removeAll { $0 > line }
        losses.emptyFields.removeAll { $0 > line }
        return losses
    }

    /// Returns the numbers of some lines in words, at most five of them: `line 4`, `lines 4, 9, 12, 13, 20 and 7 more`.
    package static func list(_ lines: [Int]) -> String {
        guard !lines.isEmpty else { return "none" }
        let more = lines.count > 5 ? " and \(lines.count - 5) more" : ""
        return (lines.count == 1 ? "line " : "lines ") + lines.prefix(5).map(String.init).joined(separator: ", ") + more
    }

    /// What was left out, in words, such as `1 empty line was left out (line 4)`.
    package var words: String {
        func part(_ lines: [Int], _ noun: String, _ plural: String, _ one: String, _ several: String) -> String? {
            lines.isEmpty
                ? nil
                : "\(counted(lines.count, noun, plural)) \(agreeing(lines.count, one, several)) (\(Self.list(lines)))"
        }
        return [
            part(blank, "empty line", "empty lines", "was left out", "were left out"),
            part(emptyFields, "line with an empty field", "lines with an empty field", "was left out", "were left out"),
            part(comments, "line that begins with #", "lines that begin with #", "was left out", "were left out"),
            part(repeated, "line that repeats another", "lines that repeat others", "counts once", "count once"),
            part(unlabelled, "prompt", "prompts", "has no label", "have no label"),
        ].compactMap(\.self).joined(separator: ", ")
    }
}
