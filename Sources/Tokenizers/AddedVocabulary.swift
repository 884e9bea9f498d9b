/// The added tokens of a tokenizer and the search for them in text.
struct AddedVocabulary: Sendable {
    /// In the order of the file.
    let tokens: [AddedToken]
    private let indexOfID: [Int32: Int]
    private let idOfContent: [[UInt8]: Int32]
    private let specialContents: Set<[UInt8]>
    /// Found in the text as it came.
    let verbatim: TokenTrie
    /// Found after normalization.
    let normalized: TokenTrie

    /// Reads the field `added_tokens`, nil where the file has none.
    ///
    /// The library numbers added tokens itself: one that the model has keeps its id there, others follow the
    /// model's last. A file that says otherwise is refused, since its ids could be meant either way.
    init(_ field: JSONField?, model: BytePairModel, normalizer: Normalizer) throws(TokenizerError) {
        var tokens: [AddedToken] = []
        var indexOfID: [Int32: Int] = [:]
        var idOfContent: [[UInt8]: Int32] = [:]
        var specialContents = Set<[UInt8]>()
        var verbatim = TokenTrie()
        var normalized = TokenTrie()
        var nextID = Int32(model.vocabulary.count)
        for element in try field?.elements() ?? [] {
            let token = try AddedToken(element)
            let content = Array(token.content.utf8)
            guard !content.isEmpty else { continue }
            guard idOfContent[content] == nil else {
                throw element.invalid("the token \(token.content.quoted) is there twice")
            }
            let known = model.vocabulary.id(of: content)
            guard token.id == known ?? nextID else {
                throw element.invalid(
                    "the id of \(token.content.quoted) is \(token.id), but its place makes it \(known ?? nextID)")
            }
            if known == nil {
                guard model.vocabulary.token(nextID) == nil else {
                    throw element.invalid("the id \(nextID) is another token's in the model")
                }
                nextID += 1
            }
            indexOfID[token.id] = tokens.count
            idOfContent[content] = token.id
            if token.special { specialContents.insert(content) }
            if token.normalized {
                let text = normalizer.normalize(content)
                guard !text.isEmpty else {
                    throw element.invalid("nothing is left of \(token.content.quoted) once normalized")
                }
                guard normalized.insert(text, tokens.count) else {
                    throw element.invalid("\(token.content.quoted) reads like another token once normalized")
                }
            } else {
                _ = verbatim.insert(content, tokens.count)
            }
            tokens.append(token)
        }
        self.tokens = tokens
        self.indexOfID = indexOfID
        self.idOfContent = idOfContent
        self.specialContents = specialContents
        self.verbatim = verbatim
        self.normalized = normalized
    }

    func token(_ id: Int32) -> AddedToken? {
        indexOfID[id].map { tokens[$0] }
    }

    func id(of content: some Sequence<UInt8>) -> Int32? {
        idOfContent[Array(content)]
    }

    func isSpecial(_ content: some Sequence<UInt8>) -> Bool {
        specialContents.contains(Array(content))
    }

    /// A stretch of text: an added token, or what lies between.
    struct Section {
        let range: Range<Int>
        let token: AddedToken?
    }

    /// Cuts a stretch of text at the tokens of `trie`. No section is empty.
    func sections(of text: UTF8Text, from start: Int, _ trie: TokenTrie) -> [Section] {
        guard start < text.end else { return [] }
        guard !trie.isEmpty else { return [Section(range: start..<text.end, token: nil)] }
        var sections: [Section] = []
        // The end of the last token with the spaces that it took.
        var done = start
        var position = start
        while position < text.end {
            guard let match = trie.longestMatch(in: text.bytes, from: position, to: text.end) else {
                position += 1
                continue
            }
            let token = tokens[match.value]
            let range = position..<match.end
            position = match.end
            if token.singleWord {
                let wordBefore =
                    range.lowerBound > start
                    && text.scalarClass(at: text.start(before: range.lowerBound)).value.contains(.word)
                let wordAfter =
                    range.upperBound < text.end
                    && text.scalarClass(at: range.upperBound).value.contains(.word)
                if wordBefore || wordAfter { continue }
            }
            var first = range.lowerBound
            if token.stripsLeft {
                while first > done, case let before = text.start(before: first),
                    text.scalarClass(at: before).value.contains(.space)
                {
                    first = before
                }
                // Spaces that the token before took are taken.
                first = max(first, done)
            }
            let last = token.stripsRight ? text.endOfRun(of: .space, from: range.upperBound) : range.upperBound
            // A token of which the one before took all is none, as in the library.
            guard first < last else { continue }
            if done < first { sections.append(Section(range: done..<first, token: nil)) }
            sections.append(Section(range: first..<last, token: token))
            done = last
        }
        if done < text.end {
            sections.append(Section(range: done..<text.end, token: nil))
        }
        return sections
    }
}
