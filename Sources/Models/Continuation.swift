/// A text that a model goes on with: the tokens chosen so far, and why it ended.
package final class Continuation {
    /// One token, and what the model's own distribution says of it, before temperature and filters.
    package struct Token: Sendable, Equatable {
        package let id: Int32
        /// ln p, in nats.
        package let logProbability: Double
        /// From 1: one more than there are likelier tokens; nil where nobody asked.
        package let rank: Int?
    }

    package enum End: Sendable, CaseIterable {
        /// A token that ends texts; it is not among the tokens.
        case endToken
        /// Whoever received the tokens had enough.
        case stopped
        /// The most new tokens that were asked for.
        case length
        /// The model has no more positions.
        case contextFull
    }

    /// Its prompt's place among the prompts.
    package let prompt: Int
    /// Its place among the continuations of its prompt.
    package let number: Int
    package internal(set) var tokens: [Token] = []
    /// Nil while it goes on.
    package internal(set) var end: End?

    package init(prompt: Int, number: Int) {
        self.prompt = prompt
        self.number = number
    }

    package var ids: [Int32] { tokens.map(\.id) }

    /// Nats a token; nil without tokens.
    package var meanLogProbability: Double? {
        tokens.isEmpty ? nil : tokens.reduce(0) { $0 + $1.logProbability } / Double(tokens.count)
    }
}

/// How continuations are made.
package struct GenerationOptions {
    package var sampling = Sampling.greedy
    package var seed: UInt64 = 0
    /// Most new tokens.
    package var limit: Int
    /// Ids that end a text.
    package var endTokens: Set<Int32> = []
    package var wantsRanks = false
    package var edits: [any Edit] = []

    package init(limit: Int) { self.limit = limit }
}
