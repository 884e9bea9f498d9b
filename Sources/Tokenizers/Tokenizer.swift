import JSON
internal import Synchronization

/// A byte-pair tokenizer, byte-level or SentencePiece's, as a Hugging Face tokenizer.json describes it, token for
/// token that of the `tokenizers` library (checked against 0.23.3).
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
        let root = JSONField(file: label, path: "", value: try JSONField.parsed(json, file: label))
        guard root.value.object != nil else {
            throw .invalid(file: label, component: "tokenizer", reason: "expected an object, found \(root.value.kind)")
        }
        try root.checkKeys(
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model")
        if let version = try root.optional("version"), try version.string() != "1.0" {
            throw version.unsupported("\(try version.string().quoted); only \"1.0\" is")
        }
        for key in ["truncation", "padding"] {
            if let field = try root.optional(key) {
                throw field.unsupported("it would change every encoding; set it to null")
            }
        }
        normalizer = try Normalizer(try root.optional("normalizer"))
        preTokenizer = try PreTokenizer(try root.optional("pre_tokenizer"))
        let model = try BytePairModel(try root.required("model"), isByteLevel: preTokenizer.isByteLevel)
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

    /// How a token reads inside a text (` the`), with U+FFFD for the bytes of incomplete characters; empty
    /// where no token has this id.
    package func piece(_ id: Int32) -> String {
        text(of: id).map { decoder.decode(inside: $0) } ?? ""
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
        var tokens = TokenText(capacity: ids.count)
        for id in ids {
            guard let text = text(of: id), !skipSpecialTokens || !addedVocabulary.isSpecial(text) else { continue }
            tokens.append(text)
        }
        return decoder.decode(tokens)
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
                    encodeSection(section.range, of: whole, &cache, &encoding, withRanges)
                }
            }
        }
        if addSpecialTokens { encoding.append(contentsOf: postProcessor.suffix, at: text.utf8.count, withRanges) }
        caches.withLock { $0.append(cache) }
        return encoding
    }

    /// Encodes a stretch of text without added tokens that are looked for before normalization.
    private func encodeSection(
        _ range: Range<Int>, of text: UTF8Text, _ cache: inout WordCache, _ encoding: inout Encoding,
        _ withRanges: Bool
    ) {
        let stretch = Stretch(text: text.ending(at: range.upperBound), start: range.lowerBound, origins: nil)
        let isTracked = withRanges || preTokenizer.needsOrigins
        if let normalized = normalizer.normalize(stretch, isTracked: isTracked) {
            normalized.withStretch { encodeNormalized($0, &cache, &encoding, withRanges) }
        } else {
            encodeNormalized(stretch, &cache, &encoding, withRanges)
        }
    }

    private func encodeNormalized(
        _ stretch: Stretch, _ cache: inout WordCache, _ encoding: inout Encoding, _ withRanges: Bool
    ) {
        let isTracked = withRanges || preTokenizer.needsOrigins
        for section in addedVocabulary.sections(of: stretch.text, from: stretch.start, addedVocabulary.normalized) {
            if let token = section.token {
                encoding.append(token.id, withRanges ? stretch.origin(of: section.range) : section.range, withRanges)
                continue
            }
            preTokenizer.forEachWord(in: stretch.part(section.range), isTracked: isTracked) { word in
                model.forEachPart(of: word) { part in
                    cache.forEachToken(of: part.bytes) { bytes, queue in
                        model.encode(bytes, &queue)
                    } emit: { span in
                        encoding.ids.append(span.id)
                        guard withRanges else { return }
                        encoding.ranges.append(
                            word.origin(of: part.start + Int(span.start)..<part.start + Int(span.end)))
                    }
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
