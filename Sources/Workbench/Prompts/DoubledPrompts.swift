import TerminalText
import Tokenizers

/// Which of a checkpoint's own marks texts already have at their beginning, although encoding adds them again.
package enum DoubledMark: Hashable, Sendable {
    /// The BOS token of this text, which the tokenizer adds.
    case bos(String)
    /// The beginning of a turn of the chat template, into which the text is put.
    case turn

    /// What follows the words that a text already begins, such as `with <s>, which is put before it again`.
    package var words: String {
        switch self {
        case .bos(let token): "with \(token.escapedForTerminal), which is put before it again"
        case .turn: "as the chat template does, into which it is put again"
        }
    }
}

extension LoadedCheckpoint {
    /// Returns what encoding a set adds to texts that have it already, and the number of such texts; nil if there are
    /// none.
    package func doubledMark(in set: PromptSet) -> (mark: DoubledMark, count: Int)? {
        guard set.addsSpecialTokens || set.isChat else { return nil }
        return doubledMark(in: set.prompts.lazy.map(\.text), isChat: set.isChat)
    }

    /// Returns what encoding adds to texts that have it already, and the number of such texts; nil if there are none.
    ///
    /// - Parameter isChat: whether each text becomes a user's turn in the chat template.
    package func doubledMark(in texts: some Sequence<String>, isChat: Bool) -> (mark: DoubledMark, count: Int)? {
        if isChat {
            guard let template = try? chatTemplate() else { return nil }
            let count = texts.count(where: template.hasOpened)
            return count > 0 ? (.turn, count) : nil
        }
        guard let tokenizer = try? tokenizer(), let bos = tokenizer.bosID.flatMap({ tokenizer.token($0) }), !bos.isEmpty
        else { return nil }
        let count = texts.count { $0.hasPrefix(bos) }
        return count > 0 ? (.bos(bos), count) : nil
    }
}
