/// The tokens that go before and after a text that is encoded with its special tokens.
struct PostProcessor: Sendable {
    private(set) var prefix: [Int32] = []
    private(set) var suffix: [Int32] = []
    private var hasTemplate = false

    /// Reads the field `post_processor`, nil where it is null.
    ///
    /// ByteLevel only trims the library's offsets there, which `Encoding` never does.
    init(_ field: JSONField?, isToken: (Int32) -> Bool) throws(TokenizerError) {
        if let field { try append(field, isToken) }
    }

    private mutating func append(_ field: JSONField, _ isToken: (Int32) -> Bool) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            try field.checkKeys("type", "processors")
            for element in try field.required("processors").elements() { try append(element, isToken) }
        case "ByteLevel":
            try field.checkKeys("type", "add_prefix_space", "trim_offsets", "use_regex")
        case "TemplateProcessing":
            try field.checkKeys("type", "single", "pair", "special_tokens")
            guard !hasTemplate else { throw field.unsupported("a second TemplateProcessing") }
            hasTemplate = true
            try readTemplate(field, isToken)
        default:
            throw field.unsupported("\(type.quoted); Sequence, ByteLevel and TemplateProcessing are implemented")
        }
    }

    /// Reads `single`, the template for one text: special tokens around the sequence A.
    private mutating func readTemplate(_ field: JSONField, _ isToken: (Int32) -> Bool) throws(TokenizerError) {
        let specials = try field.required("special_tokens")
        var pastText = false
        for piece in try field.required("single").elements() {
            if let sequence = try piece.optional("Sequence") {
                guard try sequence.required("id").string() == "A", !pastText else {
                    throw sequence.unsupported("only one sequence, A, is in a template for one text")
                }
                pastText = true
            } else {
                let token = try piece.required("SpecialToken").required("id")
                guard let special = try specials.optional(try token.string()) else {
                    throw token.invalid("\(try token.string().quoted) is not among the special_tokens")
                }
                for element in try special.required("ids").elements() {
                    let id = try element.tokenID()
                    guard isToken(id) else { throw element.invalid("no token has the id \(id)") }
                    if pastText { suffix.append(id) } else { prefix.append(id) }
                }
            }
        }
        guard pastText else { throw field.unsupported("a template without the text") }
    }
}
