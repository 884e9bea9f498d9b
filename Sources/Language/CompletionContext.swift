/// The place of the cursor in an unfinished command line, from which completion proposes words.
package struct CompletionContext: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// The word at the cursor is the command's verb if there are no `words` before it, else one of its arguments.
        case command
        /// The word at the cursor is the file after `>` or `>>`.
        case file
        /// The cursor is in a comment or a shell command, where nothing can be completed.
        case elsewhere
    }

    package var place: Place
    /// The words of the command before the one at the cursor, without a leading `NAME =` and without quotes; `$NAME`
    /// stays as typed.
    package var words: [String]
    /// The part of the word at the cursor that stands before it, without quotes; empty after a blank.
    package var partial: String
    /// The byte offset in the line at which the word at the cursor begins, including its opening quote.
    package var replaceStart: Int
}

extension Parser {
    /// Reads a command line up to the cursor, however unfinished it is, and tells what stands there.
    ///
    /// - Parameters:
    ///   - cursor: the cursor's byte offset in the line; one past the end counts as the end.
    ///   - isExpression: tells of a verb whether `>` and `|` after it are comparisons, not redirections.
    package static func completionContext(
        _ line: String, cursor: Int, isExpression: @escaping (String) -> Bool = takesExpression
    ) -> CompletionContext {
        let bytes = line.utf8.prefix(max(0, cursor))
        // If the cursor is inside a scalar, half of it would be left; decoding replaces that.
        let source = Array(String(decoding: bytes, as: UTF8.self).utf8)
        var lexer = Lexer(source, isExpression: isExpression)
        lexer.scan()
        while let next = lexer.next {
            lexer = next
            lexer.scan()
        }
        var context = CompletionContext(place: .command, words: [], partial: "", replaceStart: source.count)
        if lexer.endedInComment {
            context.place = .elsewhere
            return context
        }
        // An = in quotes does not name a result.
        var bare: [Bool] = []
        for token in lexer.tokens {
            switch token {
            case .word(let word):
                bare.append(!word.wasQuoted)
                if case .file = context.place, word.range.upperBound < source.count { context.place = .elsewhere }
                let text = String(decoding: typed(word, in: source), as: UTF8.self)
                if word.range.upperBound == source.count {
                    context.partial = text
                    context.replaceStart = word.range.lowerBound
                } else {
                    context.words.append(text)
                }
            case .redirect: context.place = .file
            case .pipe: context.place = .elsewhere
            }
        }
        dropTarget(&context, bare: bare)
        return context
    }

    /// Returns a word of the line without its quotes, with variables such as `$NAME` as they were typed.
    private static func typed(_ word: Lexer.Word, in source: [UInt8]) -> [UInt8] {
        word.pieces.flatMap { piece -> [UInt8] in
            switch piece {
            case .text(let text): text
            case .variable(let variable, _): Array(spelled(variable).utf8)
            }
        }
    }

    private static func spelled(_ variable: Lexer.Variable) -> String {
        switch variable {
        case .named(let name):
            Name.isValid(name) && !name.contains(where: { ".-".contains($0) }) ? "$\(name)" : "${\(name)}"
        case .argument(let number): number < 10 ? "$\(number)" : "${\(number)}"
        case .argumentCount: "$#"
        case .allArguments: "$@"
        case .defaulted(.named(let name), let text): "${\(name):-\(text)}"
        case .defaulted(.argument(let number), let text): "${\(number):-\(text)}"
        case .defaulted, .malformed: "${"
        }
    }

    /// Removes `NAME =`, which names the command's result, from the front of the words before the cursor.
    ///
    /// - Parameter bare: for each word of the line, including the one at the cursor, whether it has no quotes.
    private static func dropTarget(_ context: inout CompletionContext, bare: [Bool]) {
        let equals = UInt8(ascii: "=")
        guard bare.first == true else { return }
        if let first = context.words.first {
            if Name.isValid(first), context.words.count >= 2, context.words[1] == "=", bare[1] {
                context.words.removeFirst(2)
            } else if Name.isValid(first), context.words.count == 1, context.partial.utf8.first == equals, bare[1] {
                context.words = []
                context.partial.unicodeScalars.removeFirst()
                context.replaceStart += 1
            } else if let cut = first.utf8.firstIndex(of: equals), Name.isValid(String(first[..<cut])) {
                let rest = String(first[first.utf8.index(after: cut)...])
                context.words.removeFirst()
                if !rest.isEmpty { context.words.insert(rest, at: 0) }
            }
        } else if let cut = context.partial.utf8.firstIndex(of: equals), Name.isValid(String(context.partial[..<cut])) {
            context.replaceStart += context.partial.utf8.distance(from: context.partial.startIndex, to: cut) + 1
            context.partial = String(context.partial[context.partial.utf8.index(after: cut)...])
        }
    }
}
