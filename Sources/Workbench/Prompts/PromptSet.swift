package import Control
import LinearAlgebra
import TerminalText
import Tokenizers

/// A set of texts to run a model on, with labels and answers if the file has them.
package struct PromptSet {
    package struct Prompt: Sendable, Equatable {
        package let text: String
        /// The label of the prompt; empty if the file gives it none.
        package let label: String
        /// The texts with which a right reply to the prompt may begin; empty if the file gives no answer.
        package let answers: [String]

        package init(text: String, label: String = "", answers: [String] = []) {
            self.text = text
            self.label = label
            self.answers = answers
        }
    }

    /// The path of the file that the prompts came from.
    package let source: String
    package let prompts: [Prompt]
    /// Whether each prompt's text is a user's turn, to be put into the checkpoint's chat template.
    package let isChat: Bool
    /// Whether a chat template rendered the texts before they were read, so that nothing is added to them.
    package let isRendered: Bool
    /// What reading the file left out.
    package let losses: ReadingLosses
    /// The place of each prompt in the set as it was read, from 0; a part of a set keeps the places of the whole.
    package let places: [Int]

    /// - Parameter places: the place of each prompt in the set as it was read; nil means that they are as read.
    package init(
        source: String, prompts: [Prompt], isChat: Bool, isRendered: Bool = false,
        losses: ReadingLosses = ReadingLosses(), places: [Int]? = nil
    ) {
        precondition(places.map { $0.count == prompts.count } ?? true, "a place for each prompt")
        self.source = source
        self.prompts = prompts
        self.isChat = isChat
        self.isRendered = isRendered
        self.losses = losses
        self.places = places ?? Array(prompts.indices)
    }

    package var summary: String {
        let labels = labels.filter { !$0.isEmpty }.count
        let answered = prompts.count { !$0.answers.isEmpty }
        return counted(prompts.count, "prompt") + (isChat ? ", as chat" : isRendered ? ", rendered" : "")
            + (labels > 0 ? ", \(counted(labels, "label"))" : "")
            + (answered > 0 ? ", \(counted(answered, "with an answer", "with answers"))" : "")
            + ", from \(source.escapedForTerminal)"
    }

    /// The labels of the prompts, each once, in the order of the prompts; with "" among them if some prompts have none.
    package var labels: [String] {
        var seen: Set<String> = []
        return prompts.map(\.label).filter { seen.insert($0).inserted }
    }

    /// Whether the tokenizer adds its special tokens, such as BOS, to the texts that are encoded.
    package var addsSpecialTokens: Bool { !isChat && !isRendered }

    package var hasLabels: Bool { prompts.contains { !$0.label.isEmpty } }
    package var hasAnswers: Bool { prompts.contains { !$0.answers.isEmpty } }
}

/// The prompts of a set as one checkpoint sees them: after its chat template and its tokenizer.
package struct EncodedPrompts {
    /// The text of each prompt after the chat template.
    package let texts: [String]
    /// The token ids of each prompt.
    package let ids: [[Int32]]
    /// Whether the tokenizer added its special tokens, such as BOS, to the texts.
    package let hasSpecialTokens: Bool
}

extension LoadedCheckpoint {
    /// Returns the texts and token ids of the prompts of a set, in the checkpoint's chat template if the set is chat.
    ///
    /// - Throws: `WorkbenchError` if there is no tokenizer or chat template or a prompt has no tokens;
    ///   `CancellationError`.
    package func encode(_ set: PromptSet, control: RunControl) throws -> EncodedPrompts {
        let template = set.isChat ? try chatTemplate() : nil
        let tokenizer = try tokenizer()
        var texts: [String] = []
        var ids: [[Int32]] = []
        for (index, prompt) in set.prompts.enumerated() {
            try control.checkCancellation()
            let text = try template?.render(user: prompt.text) ?? prompt.text
            let tokens = tokenizer.encode(text, addSpecialTokens: set.addsSpecialTokens)
            guard !tokens.isEmpty else {
                throw WorkbenchError.emptyPrompt(number: index + 1, source: set.source)
            }
            texts.append(text)
            ids.append(tokens)
        }
        return EncodedPrompts(texts: texts, ids: ids, hasSpecialTokens: set.addsSpecialTokens)
    }
}
