import JSON

/// Byte-pair encoding: the model "BPE", over the alphabet of `ByteAlphabet` or over characters.
struct BytePairModel: Sendable {
    let vocabulary: Vocabulary
    private let merges: MergeTable
    private let symbols: Symbols
    /// What stands for a symbol without a token; -1: such symbols are dropped.
    private let unknown: Int32
    private let fusesUnknown: Bool
    private let ignoresMerges: Bool

    /// What words are made of before merging.
    private enum Symbols: Sendable {
        /// Bytes; the token of each, -1 where the vocabulary has none.
        case bytes([Int32])
        /// Characters. `fallback` has the tokens of single bytes, which stand for characters without a token where
        /// there is one for each of their bytes.
        case characters(CharacterTokens, fallback: [Int32]?)

        /// Whether no character is without tokens.
        var dropsNone: Bool {
            guard case .characters(_, let fallback?) = self else { return false }
            return fallback.allSatisfy { $0 >= 0 }
        }
    }

    /// Where a word may be cut before merging, since no token reaches across: before every `▁` that is not behind
    /// another. SentencePiece's models see a whole text as one word; so cut, its parts are words met before.
    let cutsAtSpaces: Bool

    private static let space = Array("\u{2581}".utf8)

    /// Reads the field `model` of a tokenizer.json.
    ///
    /// - Parameter isByteLevel: whether words are meant in the byte-level alphabet.
    init(_ field: JSONField, isByteLevel: Bool) throws(TokenizerError) {
        let type = try field.required("type").string()
        guard type.hasSameBytes(as: "BPE") else {
            throw field.unsupported("its type is \(type.quoted); only \"BPE\" is implemented")
        }
        try field.checkKeys(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback", "ignore_merges", "vocab", "merges")
        if let dropout = try field.optional("dropout"), dropout.value.double != 0 {
            throw dropout.unsupported("only null is; dropout would make token ids random")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try field.optional(key), try !affix.string().isEmpty {
                throw affix.unsupported("only null or an empty text is")
            }
        }
        let fallsBack = try field.bool("byte_fallback", default: false)
        if fallsBack, isByteLevel {
            throw try field.required("byte_fallback").unsupported(
                "byte-level tokenizers have a token for every byte; only false is")
        }
        fusesUnknown = try field.bool("fuse_unk", default: false)
        ignoresMerges = try field.bool("ignore_merges", default: false)
        let vocabulary = try Self.readVocabulary(try field.required("vocab"))
        let reading = try Self.readMerges(try field.required("merges"), vocabulary)
        if let token = try field.optional("unk_token") {
            guard let id = vocabulary.id(of: try token.string().utf8) else {
                throw token.invalid("\(try token.string().quoted) is not in the vocabulary")
            }
            unknown = id
        } else {
            unknown = -1
        }
        if isByteLevel {
            symbols = .bytes(
                (UInt8.min ... .max).map { byte in
                    var character: [UInt8] = []
                    ByteAlphabet.encode(byte, into: &character)
                    return vocabulary.id(of: character) ?? -1
                })
        } else {
            let fallback = (UInt8.min ... .max).map { vocabulary.id(of: ByteToken.text(of: $0)) ?? -1 }
            symbols = .characters(CharacterTokens(vocabulary), fallback: fallsBack ? fallback : nil)
        }
        cutsAtSpaces =
            !isByteLevel && vocabulary.id(of: Self.space) != nil && !reading.reachesAcrossSpaces
            // A whole word's token would be looked for first.
            && !ignoresMerges
            // What stands around a dropped character may merge.
            && (unknown >= 0 || symbols.dropsNone)
        merges = reading.table
        self.vocabulary = vocabulary
    }

    /// Whether a token has a `▁` behind something else.
    static func reachesAcrossSpace(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        var isBehindOther = false
        var position = 0
        while position < token.count {
            let isSpace = hasSpace(token, at: position, before: token.count)
            if isSpace, isBehindOther { return true }
            if !isSpace { isBehindOther = true }
            position += isSpace ? space.count : 1
        }
        return false
    }

    /// Whether a `▁` begins at `position` and ends before `end`.
    @inline(__always)
    private static func hasSpace(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, before end: Int) -> Bool {
        bytes[position] == 0xE2 && position + 2 < end && bytes[position + 1] == 0x96 && bytes[position + 2] == 0x81
    }

    /// Calls `body` with the parts of a word that are merged by themselves.
    @inline(__always)
    func forEachPart(of word: Stretch, _ body: (Stretch) -> Void) {
        guard cutsAtSpaces else {
            body(word)
            return
        }
        let bytes = word.text.bytes
        var start = word.start
        var isBehindSpace = true
        var position = start
        while position < word.text.end {
            let isSpace = Self.hasSpace(bytes, at: position, before: word.text.end)
            if isSpace, !isBehindSpace {
                body(word.part(start..<position))
                start = position
            }
            isBehindSpace = isSpace
            position += isSpace ? Self.space.count : 1
        }
        if start < position { body(word.part(start..<position)) }
    }

    /// Leaves the tokens of one word in `queue.result`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, _ queue: inout MergeQueue) {
        queue.reset()
        switch symbols {
        case .bytes(let tokens):
            if ignoresMerges {
                var text: [UInt8] = []
                for byte in word { ByteAlphabet.encode(byte, into: &text) }
                if append(wholeWord: vocabulary.id(of: text), word, &queue) { return }
            }
            appendBytes(word, tokens, &queue)
        case .characters(let tokens, let fallback):
            if ignoresMerges, append(wholeWord: vocabulary.id(of: word), word, &queue) { return }
            appendCharacters(word, tokens, fallback, &queue)
        }
        queue.merge(by: merges)
    }

    private func append(wholeWord id: Int32?, _ word: UnsafeBufferPointer<UInt8>, _ queue: inout MergeQueue) -> Bool {
        guard let id else { return false }
        queue.append(TokenSpan(id: id, start: 0, end: Int32(truncatingIfNeeded: word.count)))
        return true
    }

    private func appendBytes(_ word: UnsafeBufferPointer<UInt8>, _ tokens: [Int32], _ queue: inout MergeQueue) {
        var pending = UnknownRun(id: unknown, fuses: fusesUnknown)
        for (index, byte) in word.enumerated() {
            let start = Int32(truncatingIfNeeded: index)
            let id = tokens[Int(byte)]
            if id >= 0 {
                pending.end(into: &queue)
                queue.append(TokenSpan(id: id, start: start, end: start + 1))
            } else {
                pending.add(start, start + 1, &queue)
            }
        }
        pending.end(into: &queue)
    }

    private func appendCharacters(
        _ word: UnsafeBufferPointer<UInt8>, _ tokens: CharacterTokens, _ fallback: [Int32]?, _ queue: inout MergeQueue
    ) {
        var pending = UnknownRun(id: unknown, fuses: fusesUnknown)
        let text = UTF8Text(bytes: word, end: word.count)
        var position = 0
        while position < word.count {
            let (scalar, width) = text.scalar(at: position)
            let start = Int32(truncatingIfNeeded: position)
            let bytes = position..<position + width
            position += width
            let id = tokens[scalar]
            if id >= 0 {
                pending.end(into: &queue)
                queue.append(TokenSpan(id: id, start: start, end: start + Int32(width)))
            } else if let fallback, bytes.allSatisfy({ fallback[Int(word[$0])] >= 0 }) {
                // Unknown characters before these bytes come out behind them, as in the library.
                for index in bytes {
                    let start = Int32(truncatingIfNeeded: index)
                    queue.append(TokenSpan(id: fallback[Int(word[index])], start: start, end: start + 1))
                }
            } else {
                pending.add(start, start + Int32(width), &queue)
            }
        }
        pending.end(into: &queue)
    }
}

/// Symbols without a token that have not been written yet: one, or where they are fused any number of them.
private struct UnknownRun {
    /// The token that stands for them, -1 for none.
    let id: Int32
    let fuses: Bool
    private var span: TokenSpan?

    init(id: Int32, fuses: Bool) {
        self.id = id
        self.fuses = fuses
    }

    @inline(__always)
    mutating func add(_ start: Int32, _ end: Int32, _ queue: inout MergeQueue) {
        guard id >= 0 else { return }
        if fuses, span != nil {
            span?.end = end
            return
        }
        self.end(into: &queue)
        span = TokenSpan(id: id, start: start, end: end)
    }

    @inline(__always)
    mutating func end(into queue: inout MergeQueue) {
        if let span {
            queue.append(span)
            self.span = nil
        }
    }
}
