/// What is done to text, apart from its added tokens, before it is cut into words.
struct Normalizer: Sendable {
    private enum Step: Sendable {
        case nfc
    }

    private var steps: [Step] = []

    /// Reads the field `normalizer`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field { try append(field, depth: 0) }
    }

    private mutating func append(_ field: JSONField, depth: Int) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            for element in try field.required("normalizers").elements() { try append(element, depth: depth + 1) }
        default:
            throw field.unsupported("\(type.quoted); only Sequence is implemented")
        }
    }

    var isIdentity: Bool { steps.isEmpty }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text
    }
}
