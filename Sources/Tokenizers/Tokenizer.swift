internal import Synchronization

/// A byte-level tokenizer as a Hugging Face tokenizer.json describes it, token for token that of the
/// `tokenizers` library (checked against 0.23.3).
///
/// Text goes through added tokens, normalizer, pre-tokenizer, model and post-processor; ids come back through
/// the decoder. A component that is not implemented is named and refused when the file is read.
/// `encode` and `decode` may be called from several threads at once.
package final class Tokenizer: Sendable {
    private let addedVocabulary: AddedVocabulary
    private let normalizer: Normalizer
    private let preTokenizer: PreTokenizer
    private let model: BytePairModel
    private let postProcessor: PostProcessor
    private let decoder: TokenDecoder
    /// Caches that no call is using.
    private let caches = Mutex<[WordCache]>([])

    /// One more than the highest token id, added tokens included.
    package let vocabularySize: Int

    /// Reads a tokenizer.json.
    ///
    /// - Parameters:
    ///   - json: the file's bytes.
    ///   - label: the file's name, which errors carry.
    /// - Throws: `TokenizerError`, which names the component at fault.
    package init(json: [UInt8], label: String) throws(TokenizerError) {
        let root = JSONField(file: label, path: "", value: try JSONValue(parsing: json, file: label))
        guard root.value.object != nil else {
            throw .invalid(file: label, component: "tokenizer", reason: "expected an object, found \(root.value.kind)")
        }
        if let version = try root.optional("version"), try version.string() != "1.0" {
            throw version.unsupported("\(try version.string().quoted); only \"1.0\" is")
        }
        for key in ["truncation", "padding"] {
            if let field = try root.optional(key) {
                throw field.unsupported("it would change every encoding; set it to null")
            }
        }
        let model = try BytePairModel(try root.required("model"))
        normalizer = try Normalizer(try root.optional("normalizer"))
        preTokenizer = try PreTokenizer(try root.optional("pre_tokenizer"), file: label)
        let added = try AddedVocabulary(try root.optional("added_tokens"), model: model, normalizer: normalizer)
        postProcessor = try PostProcessor(try root.optional("post_processor")) { id in
            added.token(id) != nil || model.vocabulary.token(id) != nil
        }
        decoder = try TokenDecoder(try root.optional("decoder"))
        vocabularySize = max(model.vocabulary.idCount, added.tokens.map { Int($0.id) + 1 }.max() ?? 0)
        self.model = model
        addedVocabulary = added
    }

    // MARK: Tokens

    /// The added tokens in the order of the file.
    package var addedTokens: [AddedToken] { addedVocabulary.tokens }

    /// The token that the post-processor puts first, if it puts any before the text.
    package var bosID: Int32? { postProcessor.prefix.first }

    /// The token that the post-processor puts last, if it puts any after the text.
    package var eosID: Int32? { postProcessor.suffix.last }

    /// The ids of added tokens that are special, in the order of the file.
    package var specialIDs: [Int32] { addedTokens.filter(\.special).map(\.id) }

    /// The text of a token in the file, in the byte-level alphabet (`Ġthe`); nil where no token has this id.
    package func token(_ id: Int32) -> String? {
        text(of: id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token by its text in the file.
    package func id(ofToken token: String) -> Int32? {
        addedVocabulary.id(of: token.utf8) ?? model.vocabulary.id(of: token.utf8)
    }

    /// How a token reads on its own (` the`), with U+FFFD for the bytes of incomplete characters; empty
    /// where no token has this id.
    package func piece(_ id: Int32) -> String {
        var bytes: [UInt8] = []
        if let text = text(of: id) { decoder.decode(text, into: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func text(of id: Int32) -> ArraySlice<UInt8>? {
        if let token = addedVocabulary.token(id) {
            let content = Array(token.content.utf8)
            return token.normalized ? normalizer.normalize(content)[...] : content[...]
        }
        return model.vocabulary.token(id)
    }

    // MARK: Decoding

    /// The text of token ids. Ids without a token are passed over; bytes that are not UTF-8 become U+FFFD,
    /// one for each maximal part of a character.
    package func decode(_ ids: [Int32], skipSpecialTokens: Bool = false) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.count * 4)
        var isFirst = true
        for id in ids {
            guard let text = text(of: id), !skipSpecialTokens || !addedVocabulary.isSpecial(text) else { continue }
            if !isFirst { bytes.append(contentsOf: decoder.separator) }
            isFirst = false
            decoder.decode(text, into: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Encoding

    /// The token ids of a text. Added tokens inside the text are recognised.
    ///
    /// - Parameter addSpecialTokens: put the post-processor's tokens around it.
    package func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int32] {
        encode(text, addSpecialTokens: addSpecialTokens, withRanges: false).ids
    }

    /// The token ids of a text with the part of the text that each stands for.
    package func encodeWithOffsets(_ text: String, addSpecialTokens: Bool = true) -> Encoding {
        encode(text, addSpecialTokens: addSpecialTokens, withRanges: true)
    }

    private func encode(_ text: String, addSpecialTokens: Bool, withRanges: Bool) -> Encoding {
        var cache = caches.withLock { $0.popLast() } ?? WordCache()
        var encoding = Encoding()
        var text = text
        if addSpecialTokens { encoding.append(contentsOf: postProcessor.prefix, at: 0, withRanges) }
        text.withUTF8 { bytes in
            let whole = UTF8Text(bytes: bytes, end: bytes.count)
            for section in addedVocabulary.sections(of: whole, from: 0, addedVocabulary.verbatim) {
                if let token = section.token {
                    encoding.append(token.id, section.range, withRanges)
                } else {
                    encodeSection(section.range, of: bytes, &cache, &encoding, withRanges)
                }
            }
        }
        if addSpecialTokens { encoding.append(contentsOf: postProcessor.suffix, at: text.utf8.count, withRanges) }
        caches.withLock { $0.append(cache) }
        return encoding
    }

    /// Encodes a stretch of text without added tokens that are looked for before normalization.
    private func encodeSection(
        _ range: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, _ cache: inout WordCache,
        _ encoding: inout Encoding, _ withRanges: Bool
    ) {
        let text = UTF8Text(bytes: bytes, end: range.upperBound)
        guard let normalized = normalizer.normalize(text, from: range.lowerBound) else {
            encodeNormalized(text, from: range.lowerBound, &cache, &encoding, withRanges)
            return
        }
        let count = encoding.ranges.count
        normalized.bytes.withUnsafeBufferPointer { bytes in
            let text = UTF8Text(bytes: bytes, end: bytes.count)
            encodeNormalized(text, from: 0, &cache, &encoding, withRanges)
        }
        for index in count..<encoding.ranges.count {
            encoding.ranges[index] = normalized.origin(of: encoding.ranges[index])
        }
    }

    /// Encodes the stretch of normalized text from `start` on. Ranges are positions in `text`.
    private func encodeNormalized(
        _ text: UTF8Text, from start: Int, _ cache: inout WordCache, _ encoding: inout Encoding,
        _ withRanges: Bool
    ) {
        for section in addedVocabulary.sections(of: text, from: start, addedVocabulary.normalized) {
            if let token = section.token {
                encoding.append(token.id, section.range, withRanges)
                continue
            }
            let stretch = UTF8Text(bytes: text.bytes, end: section.range.upperBound)
            preTokenizer.forEachWord(in: stretch, from: section.range.lowerBound) { word in
                cache.forEachToken(of: word.bytes) { word, queue in
                    model.encode(word, &queue)
                } emit: { span in
                    encoding.ids.append(span.id)
                    guard withRanges else { return }
                    var start = max(word.start + Int(span.start), word.textStart)
                    // A space that was put before the text counts for the first character.
                    var end = max(word.start + Int(span.end), word.textStart + 1)
                    // A token may hold part of a character; its range has all of it.
                    while start > section.range.lowerBound, text.bytes[start] & 0xC0 == 0x80 { start -= 1 }
                    while end < section.range.upperBound, text.bytes[end] & 0xC0 == 0x80 { end += 1 }
                    encoding.ranges.append(start..<end)
                }
            }
        }
    }
}

/// Token ids and the part of the text that each stands for.
package struct Encoding: Sendable, Equatable {
    package internal(set) var ids: [Int32] = []
    /// Ranges of UTF-8 offsets into the text, one for each id. They cover whole characters, leading spaces
    /// included, so that tokens that share a character overlap; empty for tokens that are not in the text.
    package internal(set) var ranges: [Range<Int>] = []

    mutating func append(_ id: Int32, _ range: Range<Int>, _ withRanges: Bool) {
        ids.append(id)
        if withRanges { ranges.append(range) }
    }

    mutating func append(contentsOf added: [Int32], at position: Int, _ withRanges: Bool) {
        for id in added { append(id, position..<position, withRanges) }
    }
}
