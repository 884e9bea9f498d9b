/// A parsed command line: `[TARGET =] WORD… [> FILE | >> FILE | | SHELL COMMAND]`.
package struct ParsedLine: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        /// The word's text after quotes and `$` variables are resolved.
        package var text: String
        /// Whether any part of the word stood in quotes or behind a backslash, so that a leading dash does not make an
        /// option.
        package var wasQuoted: Bool
        /// The range of bytes in the source line that the word takes up, including its quotes.
        package var range: Range<Int>

        package init(_ text: String, wasQuoted: Bool = false, range: Range<Int> = 0..<0) {
            self.text = text
            self.wasQuoted = wasQuoted
            self.range = range
        }
    }

    package enum Redirect: Sendable, Equatable {
        case file(path: String, append: Bool)
        /// The output goes to a command that a system shell runs, as it was typed after `|`.
        case pipe(String)
    }

    /// The name before `=`, under which the command's result is kept; nil for none.
    package var target: String?
    package var words: [Word]
    package var redirect: Redirect?

    package init(target: String? = nil, words: [Word] = [], redirect: Redirect? = nil) {
        self.target = target
        self.words = words
        self.redirect = redirect
    }

    /// Whether the parsed line is blank or only a comment.
    package var isEmpty: Bool { target == nil && words.isEmpty && redirect == nil }
}
