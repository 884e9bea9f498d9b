/// A parsed command line: `[TARGET =] WORD… [> FILE | >> FILE | | SHELL COMMAND]`.
package struct ParsedLine: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        /// The text after quotes and `$` are resolved.
        package var text: String
        /// Whether any part stood in quotes or behind a backslash, so that a leading dash does not make an option.
        package var wasQuoted: Bool
        /// The bytes of the source, including the quotes.
        package var range: Range<Int>

        package init(_ text: String, wasQuoted: Bool = false, range: Range<Int> = 0..<0) {
            self.text = text
            self.wasQuoted = wasQuoted
            self.range = range
        }
    }

    package enum Redirect: Sendable, Equatable {
        case file(path: String, append: Bool)
        /// The command that a system shell runs on the output, as it was typed.
        case pipe(String)
    }

    /// The name under which the result is kept; nil for none.
    package var target: String?
    package var words: [Word]
    package var redirect: Redirect?

    package init(target: String? = nil, words: [Word] = [], redirect: Redirect? = nil) {
        self.target = target
        self.words = words
        self.redirect = redirect
    }

    /// Whether the line is blank or a comment.
    package var isEmpty: Bool { target == nil && words.isEmpty && redirect == nil }
}
