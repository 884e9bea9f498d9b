/// A command whose lines arrive one by one. What is open at the end of each line is kept, so that every line is read once
/// however many there are.
package struct PendingCommand {
    private var lexer: Lexer?
    private let isExpression: (String) -> Bool

    package init(isExpression: @escaping (String) -> Bool = Parser.takesExpression) { self.isExpression = isExpression }

    package var isEmpty: Bool { lexer == nil }

    /// The number of bytes of the lines so far.
    package var byteCount: Int { lexer?.source.count ?? 0 }

    /// The lines so far, with line breaks between them. Making the text takes time in proportion to its length.
    package var text: String { String(decoding: lexer?.source ?? [], as: UTF8.self) }

    /// Adds a line, or a pasted block of several.
    ///
    /// - Returns: Whether more lines are needed: a quote is open, or a backslash ends the text.
    package mutating func append(_ line: String) -> Bool {
        var current: Lexer
        if let known = lexer.take() {
            current = known
            current.append(line: line.utf8)
        } else {
            current = Lexer(Array(line.utf8), isExpression: isExpression)
        }
        current.scan()
        while let next = current.next {
            current = next
            current.scan()
        }
        lexer = current
        return current.ending != .complete
    }
}
