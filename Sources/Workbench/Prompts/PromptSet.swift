import Control
import Models
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

    /// What errors and notes call a set.
    package enum Title: Hashable, Sendable {
        /// The text or the texts of a command line.
        case text
        /// A set that the user gave a name.
        case set(String)
        case file(String)
    }

    /// The path of the file that the prompts came from.
    package let source: String
    /// What errors and notes call the set: its source, unless it is given another title.
    package private(set) var title: Title
    package private(set) var prompts: [Prompt]
    /// Whether each prompt's text is a user's turn, to be put into the checkpoint's chat template.
    package let isChat: Bool
    /// The system message of each turn; nil for the template's own.
    package private(set) var system: String?
    /// Whether a chat template rendered the texts before they were read, so that nothing is added to them.
    package let isRendered: Bool
    /// What reading the file left out.
    package let losses: ReadingLosses
    /// The place of each prompt in the set as it was read, from 0; a part of a set keeps the places of the whole.
    package private(set) var places: [Int]

    /// - Parameter places: the place of each prompt in the set as it was read; nil means that they are as read.
    package init(
        source: String, prompts: [Prompt], isChat: Bool, isRendered: Bool = false,
        losses: ReadingLosses = ReadingLosses(), places: [Int]? = nil
    ) {
        precondition(places.map { $0.count == prompts.count } ?? true, "a place for each prompt")
        self.source = source
        title = .file(source)
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

extension PromptSet {
    /// Makes a set of the texts of a command line.
    ///
    /// - Parameters:
    ///   - isChat: whether each text becomes a user's turn in a checkpoint's chat template.
    ///   - system: the system message of each turn; nil for the template's own.
    ///   - isRendered: whether a chat template rendered the texts before.
    package init(texts: [String], isChat: Bool = false, system: String? = nil, isRendered: Bool = false) {
        self.init(
            source: "the command line", prompts: texts.map { Prompt(text: $0) }, isChat: isChat, isRendered: isRendered)
        (title, self.system) = (.text, system)
    }

    /// Makes one set of several, whose prompts follow one another.
    ///
    /// - Precondition: All are chat, or rendered, or none is.
    package init(joining sets: [PromptSet], called name: String) {
        precondition(sets.allSatisfy { $0.isChat == sets[0].isChat && $0.isRendered == sets[0].isRendered })
        self.init(
            source: sets.map(\.source).joined(separator: " + "), prompts: sets.flatMap(\.prompts),
            isChat: sets[0].isChat, isRendered: sets[0].isRendered)
        title = .set(name)
    }

    /// Returns the set under the name that the user gave it.
    package func called(_ name: String) -> PromptSet {
        var set = self
        set.title = .set(name)
        return set
    }

    /// Returns the set with other prompts, and the place of each in the set as it was read.
    func replacing(_ prompts: [Prompt], places: [Int]) -> PromptSet {
        var set = self
        (set.prompts, set.places) = (prompts, places)
        return set
    }

    /// What errors call the set.
    package var name: String {
        switch title {
        case .text: "the text"
        case .set(let name), .file(let name): name
        }
    }

    /// Returns what errors call the prompt with an index: `prompt 3 of corpus`, `the text`.
    package func subject(_ index: Int) -> String {
        switch title {
        case .text: prompts.count == 1 ? "the text" : "text \(index + 1)"
        case .set(let name), .file(let name): "prompt \(places[index] + 1) of \(name.escapedForTerminal)"
        }
    }
}

/// The prompts of a set as one checkpoint sees them: after its chat template and its tokenizer.
package struct EncodedPrompts {
    package let set: PromptSet
    /// The text of each prompt after the chat template.
    package let texts: [String]
    /// The token ids of each prompt.
    package let ids: [[Int32]]
}

extension LoadedCheckpoint {
    /// Returns the texts of the prompts of a set as the tokenizer gets them: in the checkpoint's chat template if the set
    /// is chat.
    ///
    /// - Throws: `WorkbenchError.noChatTemplate`; the reason why the checkpoint's template can't be used.
    package func texts(of set: PromptSet) throws -> [String] {
        guard set.isChat else { return set.prompts.map(\.text) }
        let template = try chatTemplate()
        return try set.prompts.map { try template.render(user: $0.text, system: set.system) }
    }

    /// Returns the texts and token ids of the prompts of a set, in the checkpoint's chat template if the set is chat. All
    /// texts that a model sees come this way. If they have marks of the checkpoint twice, or as rendered texts not at all,
    /// the context is told.
    ///
    /// - Parameter isRun: whether the model is to read the whole prompts, so that they must not be too long for it.
    /// - Throws: `WorkbenchError` if there is no tokenizer or chat template, or a prompt has no tokens or too many;
    ///   `CancellationError`.
    package func encode(_ set: PromptSet, in context: RunContext, isRun: Bool = true) throws -> EncodedPrompts {
        let texts = try texts(of: set)
        let tokenizer = try tokenizer()
        let limit = isRun ? try? configuration().maxPositions : nil
        var ids: [[Int32]] = []
        for (index, text) in texts.enumerated() {
            try context.control.checkCancellation()
            let tokens = tokenizer.encode(text, addSpecialTokens: set.addsSpecialTokens)
            guard !tokens.isEmpty else {
                throw WorkbenchError.emptyPrompt(set.subject(index))
            }
            if let limit, tokens.count > limit {
                throw WorkbenchError.longPrompt(
                    set.subject(index), tokens: tokens.count, limit: limit, checkpoint: label)
            }
            ids.append(tokens)
        }
        tellMarks(of: set, ids, in: context)
        return EncodedPrompts(set: set, texts: texts, ids: ids)
    }
}
