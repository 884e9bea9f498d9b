/// What Split, Replace, Digits and their like look for in a text.
enum TextPattern: Sendable {
    /// A text, never empty.
    case string([UInt8])
    /// Any one character of these classes.
    case scalars(ScalarClass)
    /// A word, which all of a text is made of.
    case words(WordPattern)
    /// `\w+|[^\w\s]+`
    case wordsAndSymbols
    case regex(SimpleRegex)

    /// Reads a field `pattern`: `{"String": …}` or `{"Regex": …}`.
    init(_ field: JSONField) throws(TokenizerError) {
        try field.checkKeys("String", "Regex")
        if let string = try field.optional("String") {
            guard try field.optional("Regex") == nil else { throw field.invalid("it has both a String and a Regex") }
            let text = Array(try string.string().utf8)
            guard !text.isEmpty else { throw string.unsupported("an empty text is everywhere") }
            self = .string(text)
            return
        }
        let regex = try field.required("Regex")
        let pattern = try regex.string()
        if let known = WordPattern(pattern: pattern) {
            self = .words(known)
            return
        }
        do {
            self = .regex(try SimpleRegex(pattern))
        } catch {
            throw regex.unsupported(
                "\(pattern.quoted): \(error.reason); simple patterns and those of GPT-2, GPT-4o, Llama 3, Qwen 2 and "
                    + "Mistral are implemented")
        }
    }

    /// How many bytes a match has at least.
    var leastByteCount: Int {
        switch self {
        case .string(let string): string.count
        case .scalars, .words, .wordsAndSymbols: 1
        case .regex(let regex): regex.steps.count(where: { if case .one = $0 { true } else { false } })
        }
    }

    /// Calls `body` with the matches and with what lies between them, in order: all of `text` from `start` on.
    @inline(__always)
    func forEachPart(of text: UTF8Text, from start: Int, _ body: (_ part: Range<Int>, _ isMatch: Bool) -> Void) {
        switch self {
        case .string(let string): Self.search(for: string, in: text, from: start, body)
        case .scalars(let wanted):
            var position = start
            while position < text.end {
                let (value, width) = text.scalarClass(at: position)
                let isMatch = !value.isDisjoint(with: wanted)
                let end = isMatch ? position + width : text.endOfRun(outside: wanted, from: position + width)
                body(position..<end, isMatch)
                position = end
            }
        case .words(let pattern):
            var position = start
            while position < text.end {
                let end = pattern.endOfWord(in: text, from: position)
                body(position..<end, true)
                position = end
            }
        case .wordsAndSymbols:
            var position = start
            while position < text.end {
                let value = text.scalarClass(at: position).value
                let isSpace = value.contains(.space) && !value.contains(.word)
                let end =
                    if value.contains(.word) {
                        text.endOfRun(of: .word, from: position)
                    } else if isSpace {
                        text.endOfRun(of: .space, from: position)
                    } else {
                        text.endOfRun(outside: [.word, .space], from: position)
                    }
                body(position..<end, !isSpace)
                position = end
            }
        case .regex(let regex):
            guard start < text.end else { return }
            var matcher = SimpleRegex.Matcher(regex, text, from: start)
            var done = start
            while let match = matcher.next(from: done) {
                if done < match.lowerBound { body(done..<match.lowerBound, false) }
                body(match, true)
                done = match.upperBound
            }
            if done < text.end { body(done..<text.end, false) }
        }
    }

    private static func search(
        for string: [UInt8], in text: UTF8Text, from start: Int, _ body: (Range<Int>, Bool) -> Void
    ) {
        let bytes = text.bytes
        var done = start
        string.withUnsafeBufferPointer { string in
            let first = string[0]
            var position = start
            while position + string.count <= text.end {
                guard bytes[position] == first,
                    string.indices.allSatisfy({ bytes[position + $0] == string[$0] })
                else {
                    position += 1
                    continue
                }
                if done < position { body(done..<position, false) }
                done = position + string.count
                body(position..<done, true)
                position = done
            }
        }
        if done < text.end { body(done..<text.end, false) }
    }
}
