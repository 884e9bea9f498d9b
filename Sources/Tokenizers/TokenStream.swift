/// The text of tokens that come one by one, in whole characters, as `decode` without special tokens has it.
///
/// Where bytes turn out to be no text only behind what was given out already, that stays as it was given out.
package struct TokenStream {
    private let tokenizer: Tokenizer
    private var ids: [Int32] = []
    /// How many scalars of the text of `ids` were given out.
    private var given = 0

    /// Decoding starts afresh at this many tokens, or a long text would take quadratic time, and from these many
    /// before, since some decoders take a space off the start.
    private static let limit = 256
    private static let overlap = 8

    package init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// The text that a token completes; empty where a character is still open.
    package mutating func append(_ id: Int32) -> String {
        ids.append(id)
        let scalars = Array(text.unicodeScalars)
        // A character that is not complete yet decodes to U+FFFD at the end.
        guard scalars.last != "\u{FFFD}", scalars.count > given else { return "" }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars[given...])
        given = scalars.count
        if ids.count >= Self.limit { startAfresh() }
        return String(result)
    }

    private var text: String { tokenizer.decode(ids, skipSpecialTokens: true) }

    private mutating func startAfresh() {
        let before = self
        ids.removeFirst(ids.count - Self.overlap)
        let rest = text.unicodeScalars
        // From the middle of a character there is no fresh start; one of the next tokens has it.
        if rest.contains("\u{FFFD}") { self = before } else { given = rest.count }
    }
}
