package import Comparison
import Models
import TerminalText

/// The replies that a model gives without the edits whose effect is measured, which the edited model is made to follow.
package struct OwnReplies {
    /// Each prompt's tokens with those of its reply; the last token that is predicted is not among them.
    let sequences: TokenSequences
    /// The number of tokens of each prompt itself.
    let promptTokens: [Int]

    /// - Parameter replies: the tokens of the reply to each prompt up to the last that is predicted, which is left out
    ///   because nothing is predicted from it.
    init(_ prompts: [[Int32]], replies: [[Int32]]) {
        sequences = TokenSequences(zip(prompts, replies).map { $0 + $1 })
        promptTokens = prompts.map(\.count)
    }
}

/// How far a model's predictions under some edits are from those without them, on prompts and on the replies that the
/// model gives to them without the edits.
package struct EditDivergence {
    /// The comparison of the predictions of the prompts' own tokens, all but each prompt's first; a prompt of one token
    /// has no position, and none has if the prompts were not asked for.
    package let prompt: LogitsComparison
    /// The comparison of the predictions of the tokens of the unedited model's own replies: [prompt][token of the
    /// reply]. The first predicts the reply's first token, from the prompt's last position; all others are predicted
    /// after the tokens of that reply, whatever the edited model would have said.
    package let reply: LogitsComparison

    /// - Parameters:
    ///   - all: the comparison at the positions of the prompt that were asked for and at those of its reply.
    ///   - own: the number of positions of each prompt before the one that predicts its reply's first token.
    init(_ all: LogitsComparison, own: [Int]) {
        prompt = LogitsComparison(zip(all.prompts, own).map { Array($0.prefix($1)) })
        reply = LogitsComparison(zip(all.prompts, own).map { Array($0.dropFirst($1)) })
    }

    /// The comparison of the predictions of the replies' first token alone. Where a chat template or the prompts decide
    /// that token, no edit can move them, whatever becomes of the rest.
    package var first: LogitsComparison { token(0) }

    /// Returns the comparison of the predictions of one token of the replies, counted from 0; a prompt whose reply is
    /// shorter has no position.
    package func token(_ index: Int) -> LogitsComparison {
        LogitsComparison(reply.prompts.map { index < $0.count ? [$0[index]] : [] })
    }

    /// The number of tokens of the longest reply.
    package var tokens: Int { reply.prompts.map(\.count).max() ?? 0 }

    /// Returns the words in which a report's notes say what KL and agreement are taken over; none if nothing was measured.
    package static func notes(_ measured: [EditDivergence]) -> [String] {
        guard let tokens = measured.map(\.tokens).max() else { return [] }
        return [
            "kl and top-1 are over the first \(counted(tokens, "token")) of the model's own replies without the edits."
        ]
    }
}
