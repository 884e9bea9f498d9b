/// A command line taken apart: `[TARGET =] WORD… [> FILE | >> FILE | | SHELL COMMAND]`.
package struct ParsedLine: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        /// After quotes and `$` are resolved.
        package var text: String
        /// Whether any of it stood in quotes or behind a backslash, so that a leading dash is no option.
        package var wasQuoted: Bool
        /// Bytes of the source, quotes included.
        package var range: Range<Int>

        package init(_ text: String, wasQuoted: Bool = false, range: Range<Int> = 0..<0) {
            self.text = text
            self.wasQuoted = wasQuoted
            self.range = range
        }
    }

    package enum Redirect: Sendable, Equatable {
        case file(path: String, append: Bool)
        /// What a system shell is to run on the output, as it was typed.
        case pipe(String)
    }

    /// The name the result is to have.
    package var target: String?
    package var words: [Word]
    package var redirect: Redirect?

    package init(target: String? = nil, words: [Word] = [], redirect: Redirect? = nil) {
        self.target = target
        self.words = words
        self.redirect = redirect
    }

    /// A blank line or a comment.
    package var isEmpty: Bool { target == nil && words.isEmpty && redirect == nil }
}
