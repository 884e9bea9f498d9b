import Models
import TerminalText
import Tokenizers

/// The texts of a checkpoint's tokens in the form in which tables and errors show them.
package struct TokenTexts {
    private let tokenizer: Tokenizer

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// Returns the text of one token, with its blanks. Bytes that are not text by themselves are escaped.
    package func piece(_ id: Int32) -> String { tokenizer.piece(id) }

    /// Returns the token as the vocabulary spells it, or nil for an id that the vocabulary lacks.
    package func token(_ id: Int32) -> String? { tokenizer.token(id) }

    /// Returns the text that several tokens make together.
    package func text(_ ids: [Int32]) -> String { tokenizer.decode(ids) }
}

/// The reason why a text is not one token of a model.
package enum TokenError: Error, Equatable, CustomStringConvertible {
    case empty
    case outsideVocabulary(String, id: Int32, count: Int)
    /// The text is `count` tokens instead of one, the first of which have the texts `pieces`. `isOneAfterBlank` says
    /// whether the text with a blank before it is one token.
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
    /// Returns the texts of the checkpoint's tokens, in the form in which tables show them.
    ///
    /// - Throws: `WorkbenchError.noTokenizer`.
    package func tokenTexts() throws -> TokenTexts { TokenTexts(try tokenizer()) }

    /// Returns the id of the one token that a text stands for, within the model's vocabulary.
    ///
    /// - Throws: `TokenError` if the text is not one token, and `WorkbenchError.noTokenizer`.
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
