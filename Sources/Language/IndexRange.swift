import TerminalText

/// A range of a matrix's rows or columns as a user writes it: `3`, `-1`, `0..4`, `*`.
package enum IndexRange {
    /// Returns the range of rows or columns, of `count` in all, that a text such as `0..4` names.
    ///
    /// - Throws: `CommandError` if the text names nothing in 0..<count.
    package static func parse(_ text: String, count: Int) throws -> Range<Int> {
        let text = text.filter { $0 != " " }
        func refusal() -> CommandError {
            CommandError(
                "\"\(text.escapedForTerminal)\" is not a part of 0..\(count - 1)",
                remedy: "write a number, a range such as 0..4, or *", exitCode: 2)
        }
        if text == "*" { return 0..<count }
        func index(_ text: String) throws -> Int {
            guard let number = Int(text), number >= -count else { throw refusal() }
            let index = number < 0 ? count + number : number
            guard (0..<count).contains(index) else { throw refusal() }
            return index
        }
        if let ends = NumberRange.ends(text) {
            let (first, last) = (try index(ends.first), try index(ends.last))
            guard first <= last else { throw refusal() }
            return first..<last + 1
        }
        let only = try index(text)
        return only..<only + 1
    }
}
