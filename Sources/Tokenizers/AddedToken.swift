/// A token that is found in text before anything else looks at it.
package struct AddedToken: Sendable, Equatable {
    package let id: Int32
    package let content: String
    /// Found only where no word character stands on either side.
    package let singleWord: Bool
    /// Takes the spaces before it along.
    package let stripsLeft: Bool
    /// Takes the spaces after it along.
    package let stripsRight: Bool
    /// Looked for in the normalized text rather than in the text as it came.
    package let normalized: Bool
    /// Left out by `decode(_:skipSpecialTokens:)` on request.
    package let special: Bool

    init(_ field: JSONField) throws(TokenizerError) {
        try field.checkKeys("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
        id = try field.required("id").tokenID()
        content = try field.required("content").string()
        singleWord = try field.required("single_word").bool()
        stripsLeft = try field.required("lstrip").bool()
        stripsRight = try field.required("rstrip").bool()
        normalized = try field.required("normalized").bool()
        special = try field.required("special").bool()
    }
}
