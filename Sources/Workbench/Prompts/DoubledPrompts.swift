import Models
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
        let texts = set.prompts.lazy.map(\.text)
        if set.isChat {
            guard let template = try? chatTemplate() else { return nil }
            let count = texts.count(where: template.hasOpened)
            return count > 0 ? (.turn, count) : nil
        }
        guard let tokenizer = try? tokenizer(), let bos = tokenizer.bosID.flatMap({ tokenizer.token($0) }), !bos.isEmpty
        else { return nil }
        let count = texts.count { $0.withoutLeadingBlanks.hasPrefix(bos) }
        return count > 0 ? (.bos(bos), count) : nil
    }

    /// Returns whether no text of a set that is taken as rendered looks so: none has a special token or begins as the chat
    /// template does. Where the checkpoint has neither, nothing can be said, and the answer is no.
    ///
    /// - Parameter ids: the token ids of each text.
    package func looksUnrendered(_ set: PromptSet, _ ids: [[Int32]]) -> Bool {
        guard set.isRendered, let special = try? Set(tokenizer().specialIDs) else { return false }
        let template = try? chatTemplate()
        guard !special.isEmpty || template != nil else { return false }
        return !ids.contains { $0.contains(where: special.contains) }
            && !set.prompts.contains { template?.hasOpened($0.text) ?? false }
    }

    /// Tells if texts of a set have marks twice, or as rendered texts none.
    ///
    /// - Parameter ids: the token ids of each text.
    package func tellMarks(of set: PromptSet, _ ids: [[Int32]], in context: RunContext) {
        if let (mark, count) = doubledMark(in: set) {
            context.tell(.premise(.doubledMark(mark, in: set.title, count: count, total: set.prompts.count)))
        }
        if looksUnrendered(set, ids) { context.tell(.premise(.unrendered(set.title, total: set.prompts.count))) }
    }
}
