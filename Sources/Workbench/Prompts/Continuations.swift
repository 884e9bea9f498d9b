package import Models
import TerminalText
package import Tokenizers

/// What a command makes of prompts: every continuation with its text, in the order of prompts.
package final class Continuations {
    package let all: [Continuation]
    package let prompts: [[Int32]]
    package let count: Int
    package let promptSet: PromptSet?
    package let tokenizer: Tokenizer
    package let hasScores: Bool
    private var texts: [ContinuationText]

    /// - Parameters:
    ///   - prompts: token ids of each.
    ///   - count: continuations of each prompt.
    ///   - set: where the prompts come from; nil for a text of the command line.
    package init(
        prompts: [[Int32]], count: Int, set: PromptSet?, tokenizer: Tokenizer, stops: [String], hasScores: Bool
    ) {
        self.prompts = prompts
        self.count = count
        promptSet = set
        self.tokenizer = tokenizer
        self.hasScores = hasScores
        all = prompts.indices.flatMap { prompt in (0..<count).map { Continuation(prompt: prompt, number: $0) } }
        texts = all.map { _ in ContinuationText(tokenizer, stops: stops) }
    }

    /// The places of those that were begun: all, unless they were interrupted.
    package var begun: [Int] { all.indices.filter { !all[$0].tokens.isEmpty || all[$0].end != nil } }

    package var isSingle: Bool { promptSet == nil && count == 1 }

    package var newTokens: Int { all.reduce(0) { $0 + $1.tokens.count } }

    /// What each continuation says, up to a stop string.
    package var wholeTexts: [String] { texts.map(\.whole) }

    /// Takes in a continuation's last token.
    ///
    /// - Returns: the text that can be shown now, and whether no stop string has ended it.
    package func receive(_ continuation: Continuation) -> (piece: String, goesOn: Bool) {
        guard let token = continuation.tokens.last else { return ("", true) }
        let index = continuation.prompt * count + continuation.number
        let piece = texts[index].append(token.id)
        return (piece, !texts[index].isStopped)
    }

    /// Completes the texts; the first one's rest is what has not been shown of it.
    package func finish() -> String {
        var rests: [String] = []
        for index in texts.indices { rests.append(texts[index].finish()) }
        return rests.first ?? ""
    }

    /// How a continuation ended, in a word.
    package func end(_ continuation: Continuation) -> String { continuation.end?.rawValue ?? "interrupted" }
}
