/// How tokens become text again.
struct TokenDecoder: Sendable {
    /// Whether tokens are in the byte-level alphabet; otherwise they are taken as they stand.
    private(set) var isByteLevel = false
    /// What the library puts between tokens: a space if there is no decoder at all.
    private(set) var separator: [UInt8] = []

    /// Reads the field `decoder`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field {
            try append(field)
        } else {
            separator = [UInt8(ascii: " ")]
        }
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            for element in try field.required("decoders").elements() { try append(element) }
        case "ByteLevel":
            guard !isByteLevel else { throw field.unsupported("a second ByteLevel") }
            isByteLevel = true
        default:
            throw field.unsupported("\(type.quoted); Sequence and ByteLevel are implemented")
        }
    }

    /// Appends the bytes of one token.
    func decode(_ token: ArraySlice<UInt8>, into result: inout [UInt8]) {
        if isByteLevel {
            ByteAlphabet.decode(token, into: &result)
        } else {
            result.append(contentsOf: token)
        }
    }
}
