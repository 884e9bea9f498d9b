import JSON

/// Spaces written as a character of their own, `▁` as a rule, of which one may be put before the text
/// (SentencePiece, https://aclanthology.org/D18-2012).
struct Metaspace: Sendable {
    /// Where the character is put before a piece that does not begin with it.
    enum Prepending: Sendable {
        case always
        /// Only at the very start of the text.
        case first
        case never
    }

    let replacement: [UInt8]
    let prepending: Prepending
    /// Whether each of the characters begins a word.
    let splits: Bool

    /// Reads a component of this type, a pre-tokenizer or a decoder.
    init(_ field: JSONField) throws(TokenizerError) {
        // `str_rep` and `add_prefix_space` are what older versions of the library wrote.
        try field.checkKeys("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep")
        let scalar = try field.required("replacement").scalar()
        replacement = Array(String(scalar).utf8)
        if let text = try field.optional("str_rep"), try !text.string().hasSameBytes(as: String(scalar)) {
            throw text.unsupported("it is not the replacement")
        }
        splits = try field.bool("split", default: true)
        let adds = try field.bool("add_prefix_space", default: true)
        guard let scheme = try field.optional("prepend_scheme") else {
            guard adds else {
                throw field.invalid(
                    "add_prefix_space is false and prepend_scheme, which should be \"never\", is missing")
            }
            prepending = .always
            return
        }
        switch try scheme.string() {
        case "always": prepending = .always
        case "first": prepending = .first
        case "never": prepending = .never
        default: throw scheme.unsupported("\(try scheme.string().quoted); always, first and never are implemented")
        }
        if !adds, prepending != .never { throw scheme.invalid("it is not \"never\", but add_prefix_space is false") }
    }

    /// The text with its spaces replaced.
    func replaceSpaces(in stretch: Stretch, isTracked: Bool) -> AlignedText {
        let bytes = stretch.text.bytes
        let first = stretch.origin(ofCharacterAt: stretch.start)
        let beginsWithIt =
            bytes[stretch.start] == UInt8(ascii: " ")
            || stretch.count >= replacement.count
                && replacement.indices.allSatisfy { bytes[stretch.start + $0] == replacement[$0] }
        var result = AlignedText(isTracked: isTracked, capacity: stretch.count * 3 / 2)
        let isPrepended =
            switch prepending {
            case .always: true
            case .first: first.start == 0
            case .never: false
            }
        if isPrepended, !beginsWithIt { result.append(replacement, from: first) }
        var done = stretch.start
        for position in stretch.start..<stretch.text.end where bytes[position] == UInt8(ascii: " ") {
            if done < position { result.append(done..<position, of: stretch) }
            result.append(replacement, from: stretch.origin(ofCharacterAt: position))
            done = position + 1
        }
        if done < stretch.text.end { result.append(done..<stretch.text.end, of: stretch) }
        return result
    }
}
