extension Parser {
    /// One command of a script, with the number of the line on which it begins.
    package struct Command: Sendable, Equatable {
        /// The text of all the command's lines, unparsed.
        package var text: String
        /// The number, in the script, of the command's first line, from 1.
        package var line: Int

        package init(text: String, line: Int) {
            self.text = text
            self.line = line
        }
    }

    /// Splits a script, or a pasted block, into commands at the line breaks that are neither quoted nor continued.
    /// Blank lines and comments are left out, including a first line that begins with `#!`.
    package static func commands(
        in text: String, isExpression: @escaping (String) -> Bool = takesExpression
    ) -> [Command] {
        let source = Array(text.utf8)
        var commands: [Command] = []
        var start = 0
        var line = 1
        var following: Lexer? = source.isEmpty ? nil : Lexer(source, isExpression: isExpression)
        while var lexer = following {
            lexer.scan()
            let piece = source[start..<lexer.end]
            if !lexer.tokens.isEmpty || lexer.ending != .complete {
                commands.append(Command(text: String(decoding: piece, as: UTF8.self), line: line))
            }
            line += piece.count { $0 == Lexer.newline } + 1
            start = lexer.end + 1
            following = lexer.next
        }
        return commands
    }
}

extension String {
    /// The text of a file with line feeds at the ends of its lines, if they had carriage returns alone, as in files of old
    /// Macs; any other text is returned as it is.
    package var withLineFeeds: String {
        guard utf8.dropLast().contains(UInt8(ascii: "\r")), !utf8.dropLast().contains(Lexer.newline) else {
            return self
        }
        return String(decoding: utf8.map { $0 == UInt8(ascii: "\r") ? Lexer.newline : $0 }, as: UTF8.self)
    }
}
