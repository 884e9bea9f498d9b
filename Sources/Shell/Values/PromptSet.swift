package import LinearAlgebra
import TerminalText
import Tokenizers

/// Texts to run a model over, with labels where the file has them.
package struct PromptSet {
    package struct Prompt: Sendable, Equatable {
        package let text: String
        package let label: String
    }

    package let source: String
    package let prompts: [Prompt]
    /// Whether each text stands for a user's turn, to be put into the checkpoint's chat template.
    package let isChat: Bool

    package var summary: String {
        let labels = Set(prompts.map(\.label)).subtracting([""]).count
        return counted(prompts.count, "prompt") + (isChat ? ", as chat" : "")
            + (labels > 0 ? ", \(counted(labels, "label"))" : "") + ", from \(source.escapedForTerminal)"
    }
}

/// Prompts as one checkpoint sees them.
package struct EncodedPrompts {
    /// What each prompt's text is after the chat template.
    package let texts: [String]
    package let ids: [[Int32]]
}

extension LoadedCheckpoint {
    package func encode(_ set: PromptSet, control: RunControl) throws -> EncodedPrompts {
        let template = set.isChat ? try chatTemplate() : nil
        let tokenizer = try tokenizer()
        var texts: [String] = []
        var ids: [[Int32]] = []
        for (index, prompt) in set.prompts.enumerated() {
            try control.checkCancellation()
            let text = try template?.render(user: prompt.text) ?? prompt.text
            let tokens = tokenizer.encode(text, addSpecialTokens: template == nil)
            guard !tokens.isEmpty else {
                throw CommandError(
                    "prompt \(index + 1) of \(set.source) has no tokens", remedy: "remove the empty line")
            }
            texts.append(text)
            ids.append(tokens)
        }
        return EncodedPrompts(texts: texts, ids: ids)
    }
}
