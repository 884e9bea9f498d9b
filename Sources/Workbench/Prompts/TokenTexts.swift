import Models
import TerminalText
import Tokenizers

/// The texts of a checkpoint's tokens, as tables and errors show them.
package struct TokenTexts {
    private let tokenizer: Tokenizer

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// The text of one token, with its blanks; bytes that are no text by themselves are escaped.
    package func piece(_ id: Int32) -> String { tokenizer.piece(id) }

    /// The token as the vocabulary writes it; nil for an id that it lacks.
    package func token(_ id: Int32) -> String? { tokenizer.token(id) }

    /// The text of several tokens.
    package func text(_ ids: [Int32]) -> String { tokenizer.decode(ids) }
}

/// Why a text is not one token of a model.
package enum TokenError: Error, Equatable, CustomStringConvertible {
    case empty
    case outsideVocabulary(String, id: Int32, count: Int)
    /// `pieces`: the first of them. `isOneAfterBlank`: with a blank before it, the text is one token.
    case several(String, count: Int, pieces: [String], isOneAfterBlank: Bool)

    package var description: String {
        switch self {
        case .empty: "an empty text is no token"
        case .outsideVocabulary(let text, let id, let count):
            "\"\(text.escapedForTerminal)\" is token \(id), and the model has \(count)"
        case .several(let text, let count, let pieces, _):
            "\"\(text.escapedForTerminal)\" is \(count) tokens:"
                + " \(pieces.map { "\"\($0.escapedForTerminal)\"" }.joined(separator: " "))\(count > pieces.count ? " ..." : "")"
        }
    }
}

extension LoadedCheckpoint {
    /// - Throws: `WorkbenchError.noTokenizer`.
    package func tokenTexts() throws -> TokenTexts { TokenTexts(try tokenizer()) }

    /// The one token that a text is, within the model's vocabulary.
    ///
    /// - Throws: `TokenError`, `WorkbenchError.noTokenizer`.
    package func token(of text: String) throws -> Int32 {
        let tokenizer = try tokenizer()
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        guard let first = ids.first else { throw TokenError.empty }
        guard ids.count == 1 else {
            throw TokenError.several(
                text, count: ids.count, pieces: ids.prefix(8).map { tokenizer.piece($0) },
                isOneAfterBlank: tokenizer.encode(" \(text)", addSpecialTokens: false).count == 1)
        }
        let count = try configuration().vocabularySize
        guard first < count else { throw TokenError.outsideVocabulary(text, id: first, count: count) }
        return first
    }
}
