import Models
import TerminalText
import Tokenizers

/// All continuations that a command makes of its prompts, each with its text, in the order of the prompts.
package final class Continuations {
    let all: [Continuation]
    /// The token ids of each prompt.
    package let prompts: [[Int32]]
    /// The number of continuations of each prompt.
    package let count: Int
    /// The set that the prompts come from; nil for a text of the command line.
    package let promptSet: PromptSet?
    package let tokenTexts: TokenTexts
    /// Whether the probabilities and ranks of the tokens are reported.
    package let hasScores: Bool
    private var texts: [ContinuationText]

    /// Prepares the continuations of prompts, none of them begun.
    ///
    /// - Parameters:
    ///   - prompts: the token ids of each prompt.
    ///   - count: the number of continuations of each prompt.
    ///   - set: the set that the prompts come from; nil for a text of the command line.
    init(
        prompts: [[Int32]], count: Int, set: PromptSet?, tokenizer: Tokenizer, stops: [String], hasScores: Bool
    ) {
        self.prompts = prompts
        self.count = count
        promptSet = set
        tokenTexts = TokenTexts(tokenizer)
        self.hasScores = hasScores
        all = prompts.indices.flatMap { prompt in (0..<count).map { Continuation(prompt: prompt, number: $0) } }
        texts = all.map { _ in ContinuationText(tokenizer, stops: stops) }
    }

    /// The indices of the continuations that were begun: all of them, unless the command was interrupted.
    package var begun: [Int] { all.indices.filter { !all[$0].tokens.isEmpty || all[$0].end != nil } }

    package var isSingle: Bool { promptSet == nil && count == 1 }

    package var newTokens: Int { all.reduce(0) { $0 + $1.tokens.count } }

    /// The text of each continuation, up to a stop string.
    package var wholeTexts: [String] { texts.map(\.whole) }

    /// Takes in the newest token of a continuation.
    ///
    /// - Returns: the text that can be shown now, and whether the continuation goes on because no stop string has ended
    ///   it.
    func receive(_ continuation: Continuation) -> (piece: String, goesOn: Bool) {
        guard let token = continuation.tokens.last else { return ("", true) }
        let index = continuation.prompt * count + continuation.number
        let piece = texts[index].append(token.id)
        return (piece, !texts[index].isStopped)
    }

    /// Completes the texts of all continuations, and returns the part of the first one's text that has not been shown.
    package func finish() -> String {
        var rests: [String] = []
        for index in texts.indices { rests.append(texts[index].finish()) }
        return rests.first ?? ""
    }

    /// The number of all continuations, begun or not.
    package var total: Int { all.count }

    /// The continuations as they stand, in the order of prompts.
    package var results: [ContinuationResult] { all.map { ContinuationResult($0) } }
}

/// One continuation of a prompt.
package struct ContinuationResult {
    /// One token, and what the model's own distribution says of it, before temperature and filters.
    package struct Token {
        package let id: Int32
        /// The logarithm of the probability p that the model's own distribution gives the token, ln p, in nats.
        package let logProbability: Double
        /// The rank of the token by probability, from 1: one more than the number of likelier tokens; nil if not asked
        /// for.
        package let rank: Int?
    }

    /// The index of the continuation's prompt among the prompts, from 0.
    package let prompt: Int
    /// The index of the continuation among those of its prompt, from 0.
    package let number: Int
    package let tokens: [Token]
    /// The mean of ln p over the continuation's tokens, in nats a token; nil if there is no token.
    package let meanLogProbability: Double?
    /// The way in which the continuation ended, in the words that replies are counted by, or `interrupted`.
    package let end: String
    /// Whether the model ended the continuation, with an end token, which is not among the tokens.
    package let endsItself: Bool

    init(_ continuation: Continuation) {
        prompt = continuation.prompt
        number = continuation.number
        tokens = continuation.tokens.map { .init(id: $0.id, logProbability: $0.logProbability, rank: $0.rank) }
        meanLogProbability = continuation.meanLogProbability
        end = continuation.end.map { ReplyEndings.Kind($0).rawValue } ?? "interrupted"
        endsItself = continuation.end == .endToken
    }
}
