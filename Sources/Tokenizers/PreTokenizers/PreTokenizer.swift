/// Cuts text into the words that the model encodes one by one: stages, of which ByteLevel is the last.
struct PreTokenizer: Sendable {
    private enum Cut: Sendable {
        /// Digits apart from everything else, each on its own or in runs.
        case digits(individually: Bool)
        case pattern(SplitPattern)
    }

    /// Before ByteLevel.
    private var cuts: [Cut] = []
    /// ByteLevel's own.
    private var byteLevelCuts: [Cut] = []
    private var addsPrefixSpace = false

    /// Reads the field `pre_tokenizer`, nil where it is null.
    init(_ field: JSONField?, file: String) throws(TokenizerError) {
        var hasByteLevel = false
        if let field { try append(field, &hasByteLevel) }
        guard hasByteLevel else {
            throw .unsupported(
                file: file, component: "pre_tokenizer",
                reason: "it has no ByteLevel, and only byte-level tokenizers are implemented")
        }
    }

    private mutating func append(_ field: JSONField, _ hasByteLevel: inout Bool) throws(TokenizerError) {
        let type = try field.required("type").string()
        if type == "Sequence" {
            for element in try field.required("pretokenizers").elements() { try append(element, &hasByteLevel) }
            return
        }
        guard !hasByteLevel else {
            throw field.unsupported("\(type.quoted) after ByteLevel would see its alphabet instead of the text")
        }
        switch type {
        case "Digits":
            cuts.append(.digits(individually: try field.bool("individual_digits", default: false)))
        case "Split":
            cuts.append(.pattern(try Self.readSplit(field)))
        case "ByteLevel":
            hasByteLevel = true
            addsPrefixSpace = try field.required("add_prefix_space").bool()
            if try field.bool("use_regex", default: true) { byteLevelCuts.append(.pattern(.gpt2)) }
        default:
            throw field.unsupported(
                "\(type.quoted); Sequence, Digits, Split and ByteLevel are implemented")
        }
    }

    private static func readSplit(_ field: JSONField) throws(TokenizerError) -> SplitPattern {
        let pattern = try field.required("pattern")
        guard let regex = try pattern.optional("Regex") else {
            throw pattern.unsupported("only regular expressions are")
        }
        guard let known = SplitPattern(pattern: try regex.string()) else {
            throw regex.unsupported(
                "\(try regex.string().quoted); the patterns of GPT-2, Llama 3 and Qwen 2 are implemented")
        }
        // These patterns match all of a text, so that to isolate matches and to remove what lies between
        // them come to the same.
        let behavior = try field.required("behavior").string()
        let invert = try field.required("invert").bool()
        guard (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert) else {
            throw field.unsupported(
                "behavior \(behavior.quoted) with invert \(invert); Isolated without and Removed with it are")
        }
        return known
    }
}

// MARK: Cutting

extension PreTokenizer {
    /// A word; its first byte is at `start` in the text.
    struct Word {
        let bytes: UnsafeBufferPointer<UInt8>
        let start: Int
        /// Where the text of the word begins: one after `start` where a space was put before it.
        let textStart: Int
    }

    /// Calls `body` with the words of `text` from `start` on, in order.
    func forEachWord(in text: UTF8Text, from start: Int, _ body: (Word) -> Void) {
        Self.forEachPiece(of: text, from: start, cuts[...]) { piece in
            guard addsPrefixSpace, text.bytes[piece.lowerBound] != UInt8(ascii: " ") else {
                let rest = UTF8Text(bytes: text.bytes, end: piece.upperBound)
                Self.forEachPiece(of: rest, from: piece.lowerBound, byteLevelCuts[...]) { word in
                    let bytes = UnsafeBufferPointer(rebasing: text.bytes[word])
                    body(Word(bytes: bytes, start: word.lowerBound, textStart: word.lowerBound))
                }
                return
            }
            let prefixed = [UInt8(ascii: " ")] + text.bytes[piece]
            prefixed.withUnsafeBufferPointer { buffer in
                let rest = UTF8Text(bytes: buffer, end: buffer.count)
                Self.forEachPiece(of: rest, from: 0, byteLevelCuts[...]) { word in
                    let start = piece.lowerBound + word.lowerBound - 1
                    body(
                        Word(
                            bytes: UnsafeBufferPointer(rebasing: buffer[word]), start: start,
                            textStart: max(start, piece.lowerBound)))
                }
            }
        }
    }

    private static func forEachPiece(
        of text: UTF8Text, from start: Int, _ cuts: ArraySlice<Cut>, _ body: (Range<Int>) -> Void
    ) {
        guard start < text.end else { return }
        guard let cut = cuts.first else {
            body(start..<text.end)
            return
        }
        let rest = cuts.dropFirst()
        var position = start
        while position < text.end {
            let end = Self.endOfPiece(in: text, from: position, cut)
            if rest.isEmpty {
                body(position..<end)
            } else {
                let piece = UTF8Text(bytes: text.bytes, end: end)
                forEachPiece(of: piece, from: position, rest, body)
            }
            position = end
        }
    }

    private static func endOfPiece(in text: UTF8Text, from start: Int, _ cut: Cut) -> Int {
        switch cut {
        case .pattern(let pattern):
            return pattern.endOfWord(in: text, from: start)
        case .digits(let individually):
            let (value, width) = text.scalarClass(at: start)
            guard value.contains(.numeric) else {
                return text.endOfRun(outside: .numeric, from: start + width)
            }
            return individually ? start + width : text.endOfRun(of: .numeric, from: start + width)
        }
    }
}
