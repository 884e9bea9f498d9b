/// What is done to text, apart from its added tokens, before it is cut into words.
struct Normalizer: Sendable {
    private var forms: [CanonicalForm] = []

    /// Reads the field `normalizer`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field { try append(field) }
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            for element in try field.required("normalizers").elements() { try append(element) }
        case "NFC":
            forms.append(.composed)
        case "NFD":
            forms.append(.decomposed)
        default:
            throw field.unsupported("\(type.quoted); Sequence, NFC and NFD are implemented")
        }
    }

    /// The stretch of `text` from `start` on, normalized; nil where that leaves it as it is.
    ///
    /// Only the last form counts, since each of them undoes the others.
    func normalize(_ text: UTF8Text, from start: Int) -> NormalizedText? {
        guard let form = forms.last, !form.leavesAlone(text, from: start) else { return nil }
        return form.normalize(text, from: start)
    }

    func normalize(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { buffer in
            normalize(UTF8Text(bytes: buffer, end: buffer.count), from: 0)?.bytes
        } ?? bytes
    }
}
