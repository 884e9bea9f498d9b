internal import TerminalText

/// Reads command lines: words quoted as in a POSIX shell, `$` variables, a target, a redirection.
///
/// - `'…'` keeps everything; `"…"` keeps all but `\"`, `\\`, `\$`, `$` and a backslash before a line break; `\` outside
///   quotes keeps the next character, and before a line break joins the lines.
/// - `#` where a word would begin starts a comment.
/// - `NAME = COMMAND` names the result, with or without the blanks.
/// - `$NAME` (letters, digits, `_`), `${NAME}`, `$1`, `${10}`, `$#` are replaced, also inside `"…"`, and never split;
///   `$@` becomes as many words as there are arguments. Any other `$` stands for itself.
/// - `> FILE`, `>> FILE` and `| SHELL COMMAND` end a line, except after a verb that takes an expression.
package enum Parser {
    /// Returns whether `>` and `|` after a verb (a command's first word, which must be written in full) are
    /// comparisons, not redirections.
    package static func takesExpression(_ verb: String) -> Bool { verb == "expect" }

    /// The largest number of bytes of one command, before and after its variables are replaced.
    package static let mostBytes = 1 << 20

    /// Parses one command, with `$` variables replaced. A line break outside quotes may only be followed by blanks and
    /// comments.
    package static func parse(
        _ line: String, expanding expansion: Expansion = Expansion(),
        isExpression: @escaping (String) -> Bool = takesExpression
    ) throws(ParserError) -> ParsedLine {
        guard line.utf8.count <= mostBytes else {
            throw ParserError(
                "the command has \(NumberFormat.bytes(line.utf8.count)), and at most \(NumberFormat.bytes(mostBytes)) are"
                    + " read; is a quote not closed?", at: 0, in: [])
        }
        let source = Array(line.utf8)
        var lexer = Lexer(source, isExpression: isExpression)
        while lexer.ending == .complete, lexer.position < source.count {
            let before = lexer.tokens.count
            let start = lexer.position
            lexer.scan()
            if before > 0 && lexer.tokens.count > before {
                throw ParserError("one command a line; this is a second one", at: start, in: source)
            }
            lexer.skipNewline()
        }
        switch lexer.ending {
        case .complete: break
        case .openQuote(let quote, let offset):
            let quote = String(UnicodeScalar(quote))
            throw ParserError(
                "the quote \(quote) is not closed; write \\\(quote) for the character", at: offset, in: source)
        case .trailingBackslash(let offset):
            throw ParserError("nothing follows the backslash; write \\\\ for the character", at: offset, in: source)
        }
        return try assembled(lexer.tokens, expansion, source)
    }

    private static func assembled(
        _ tokens: [Lexer.Token], _ expansion: Expansion, _ source: [UInt8]
    ) throws(ParserError) -> ParsedLine {
        var parsed = ParsedLine()
        var lexed: [Lexer.Word] = []
        var rest = tokens[...]
        while case .word(let word)? = rest.first {
            lexed.append(word)
            rest.removeFirst()
        }
        var room = mostBytes
        try takeTarget(from: &lexed, into: &parsed, expansion, source, &room)
        for word in lexed { parsed.words += try expanded(word, expansion, source, &room) }
        guard let first = rest.popFirst() else { return parsed }

        let offset: Int
        switch first {
        case .pipe(let command, let at):
            offset = at
            if command.isEmpty { throw ParserError("a shell command must follow |", at: at, in: source) }
            parsed.redirect = .pipe(command)
        case .redirect(let append, let at):
            offset = at
            let sign = append ? ">>" : ">"
            guard case .word(let word)? = rest.popFirst() else {
                throw ParserError("the name of a file must follow \(sign)", at: at, in: source)
            }
            let paths = try expanded(word, expansion, source, &room)
            guard paths.count == 1, !paths[0].text.isEmpty else {
                throw ParserError("one name of a file must follow \(sign)", at: word.range.lowerBound, in: source)
            }
            parsed.redirect = .file(path: paths[0].text, append: append)
        case .word(let word):
            throw ParserError("unexpected word", at: word.range.lowerBound, in: source)
        }
        if parsed.words.isEmpty {
            throw ParserError(
                "a command must come before this; quote > and | where they are text", at: offset, in: source)
        }
        switch rest.first {
        case nil: return parsed
        case .word(let word)?:
            throw ParserError(
                "only one name of a file may follow >; quote a name with blanks", at: word.range.lowerBound, in: source)
        case .redirect(_, let at)?, .pipe(_, let at)?:
            throw ParserError("the output can go to one place only", at: at, in: source)
        }
    }

    /// Moves `NAME =`, which names the command's result, from the front of the words into `parsed`.
    private static func takeTarget(
        from words: inout [Lexer.Word], into parsed: inout ParsedLine, _ expansion: Expansion, _ source: [UInt8],
        _ room: inout Int
    ) throws(ParserError) {
        guard let first = words.first else { return }
        let equals = UInt8(ascii: "=")
        var name = first
        var command = Array(words.dropFirst())
        if !first.wasQuoted, let cut = splitAtEquals(first) {
            // These are NAME=COMMAND and NAME= COMMAND.
            name = cut.name
            if !cut.rest.pieces.isEmpty { command.insert(cut.rest, at: 0) }
        } else if let second = words.dropFirst().first, !second.wasQuoted, case .text(let text)? = second.pieces.first,
            text.first == equals, text.dropFirst().first != equals
        {
            // These are NAME = COMMAND and NAME =COMMAND, but not `it.value == 3`.
            var rest = second
            rest.pieces[0] = .text(Array(text.dropFirst()))
            if text.count == 1 { rest.pieces.removeFirst() }
            rest.range = rest.range.lowerBound + 1..<rest.range.upperBound
            command.removeFirst()
            if !rest.pieces.isEmpty { command.insert(rest, at: 0) }
        } else {
            return
        }
        let offset = first.range.lowerBound
        let names = try expanded(name, expansion, source, &room)
        guard !first.wasQuoted, names.count == 1, Name.isValid(names[0].text) else {
            let shown = names.map(\.text).joined(separator: " ").escapedForTerminal
            throw ParserError("\(shown) can't be a name: \(Name.rule)", at: offset, in: source)
        }
        guard !command.isEmpty else {
            throw ParserError("a command must follow \(names[0].text) =", at: offset, in: source)
        }
        parsed.target = names[0].text
        words = command
    }

    /// Splits a word such as `NAME=REST` at its `=`, where NAME has no variables; nil for another word.
    private static func splitAtEquals(_ word: Lexer.Word) -> (name: Lexer.Word, rest: Lexer.Word)? {
        guard case .text(let text)? = word.pieces.first, let cut = text.firstIndex(of: UInt8(ascii: "=")),
            Name.isValid(String(decoding: text[..<cut], as: UTF8.self)), text[(cut + 1)...].first != UInt8(ascii: "=")
        else { return nil }
        let start = word.range.lowerBound
        let name = Lexer.Word(pieces: [.text(Array(text[..<cut]))], range: start..<start + cut)
        let after = Array(text[(cut + 1)...])
        let pieces = (after.isEmpty ? [] : [Lexer.Piece.text(after)]) + word.pieces.dropFirst()
        return (name, Lexer.Word(pieces: pieces, range: start + cut + 1..<word.range.upperBound))
    }

    /// Returns the words that a word becomes when its `$` variables are replaced: one, or any number with `$@`.
    ///
    /// - Parameter room: the number of bytes that variables may still add to the command.
    private static func expanded(
        _ word: Lexer.Word, _ expansion: Expansion, _ source: [UInt8], _ room: inout Int
    ) throws(ParserError) -> [ParsedLine.Word] {
        func check(_ value: String, _ offset: Int, _ room: inout Int) throws(ParserError) {
            // A separator counts, so that many empty arguments are judged, too.
            room -= value.utf8.count + 1
            guard room >= 0 else {
                throw ParserError(
                    "with its variables the command has more than \(NumberFormat.bytes(mostBytes))", at: offset,
                    in: source)
            }
        }
        var texts: [[UInt8]] = [[]]
        for piece in word.pieces {
            switch piece {
            case .text(let text): texts[texts.count - 1] += text
            case .variable(.allArguments, let offset):
                // As in a POSIX shell, the first argument joins the text before, the last one the text after.
                for (index, argument) in expansion.arguments.enumerated() {
                    try check(argument, offset, &room)
                    if index > 0 { texts.append([]) }
                    texts[texts.count - 1] += argument.utf8
                }
            case .variable(let variable, let offset):
                switch expansion.value(of: variable) {
                case .success(let value):
                    try check(value, offset, &room)
                    texts[texts.count - 1] += value.utf8
                case .failure(let failure): throw ParserError(failure.message, at: offset, in: source)
                }
            }
        }
        let isOnlyArguments =
            !word.pieces.isEmpty
            && word.pieces.allSatisfy { piece in
                if case .variable(.allArguments, _) = piece { true } else { false }
            }
        if isOnlyArguments && expansion.arguments.isEmpty { return [] }
        return texts.map {
            .init(String(decoding: $0, as: UTF8.self), wasQuoted: word.wasQuoted, range: word.range)
        }
    }
}
