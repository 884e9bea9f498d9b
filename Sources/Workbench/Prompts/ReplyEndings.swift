import Models
import TerminalText

/// How the replies to the prompts of a set ended, and how many of them are empty: what a rate of replies rests on.
///
/// A rate of replies that hold a phrase says nothing of those that were cut off before the phrase could come, and little
/// where replies have no words at all.
package struct ReplyEndings: Hashable, Sendable {
    /// What is counted. Every reply has one ending, and may be empty beside it.
    package enum Kind: String, CaseIterable, Sendable {
        /// The model ended the reply, with a token that ends texts or with the special token of a stop string.
        case endToken = "end token"
        case stopString = "stop string"
        /// The reply was cut off because it had as many new tokens as it was allowed.
        case cutOff = "cut off"
        /// The reply was cut off because the model has no more positions.
        case contextFull = "context full"
        /// The reply's text, up to a stop string and without special tokens, holds nothing but blanks.
        case empty

        /// The kind of an ending: the one place that has the words for it.
        init(_ end: Continuation.End) {
            self =
                switch end {
                case .endToken: .endToken
                case .stopped: .stopString
                case .length: .cutOff
                case .contextFull: .contextFull
                }
        }
    }

    /// The share of all replies that have to be undecided, because they were cut off, for a report to say so.
    package static let notableCut = 0.2
    /// The share of all replies that have to be empty for a report to say so.
    package static let notableEmpty = 0.1

    private var counts: [Kind: Int] = [:]
    /// The number of replies that were begun.
    package private(set) var total = 0
    /// The number of replies that were cut off where what they are searched for might still have come.
    package private(set) var undecided = 0
    /// The largest number of new tokens that a reply could have.
    package let limit: Int
    /// Whether the replies are searched for phrases.
    package let seeksPhrases: Bool

    /// Counts no replies.
    package init() { (limit, seeksPhrases) = (0, false) }

    /// Counts the replies that were made.
    ///
    /// - Parameters:
    ///   - markers: the phrases that the replies are searched for; nil for none.
    ///   - key: the answers with which the replies are compared; nil for none.
    package init(_ decoding: Decoding, markers: Markers? = nil, key: AnswerKey? = nil) {
        limit = decoding.options.limit
        seeksPhrases = markers != nil
        let made = decoding.made
        let texts = made.wholeTexts
        for index in made.begun {
            let (reply, text) = (made.all[index], texts[index])
            total += 1
            if text.allSatisfy(\.isWhitespace) { counts[.empty, default: 0] += 1 }
            guard let end = reply.end else { continue }
            counts[Kind(end), default: 0] += 1
            guard end == .length || end == .contextFull else { continue }
            if markers?.mayFollow(text) ?? false || key?.mayFollow(text, prompt: reply.prompt) ?? false {
                undecided += 1
            }
        }
    }

    /// Returns the number of replies of a kind.
    package func count(_ kind: Kind) -> Int { counts[kind] ?? 0 }

    /// The number of replies that were cut off, at their largest number of tokens or at a full context.
    package var cut: Int { count(.cutOff) + count(.contextFull) }

    /// Returns a number of replies as a share of all, 0 if there are none.
    func share(_ count: Int) -> Double { total == 0 ? 0 : Double(count) / Double(total) }

    /// Whether so many replies were cut off before it was clear what they hold that a rate means little.
    package var isMostlyCut: Bool { undecided > 0 && share(undecided) >= Self.notableCut }

    /// Whether so many replies are empty that a rate means little.
    package var isMostlyEmpty: Bool { count(.empty) > 0 && share(count(.empty)) >= Self.notableEmpty }

    /// The place where replies were cut off, in words: `24 tokens`, `a full context`, or both.
    package var cutPlace: String {
        let atLimit = counted(limit, "token")
        if count(.contextFull) == 0 { return atLimit }
        return count(.cutOff) == 0 ? "a full context" : "\(atLimit) or a full context"
    }
}

extension Markers {
    /// Whether a phrase may still come after a reply that holds none, as far as the reply goes: any, or where it must
    /// come first, one that begins with the reply.
    package func mayFollow(_ reply: String) -> Bool {
        guard found(in: reply).isEmpty else { return false }
        guard isAtStart else { return true }
        let body = reply.withoutLeadingBlanks
        return phrases.contains { $0.withoutLeadingBlanks.hasPrefix(body) }
    }
}

extension RunContext {
    /// Tells where so many replies were cut off, or are empty, that their rates mean little.
    ///
    /// Of several runs the one with the largest share of such replies is told, with the number of the others that are
    /// told for the same reason.
    /// - Parameter runs: each run's endings, with words that say which run it is, such as a set's name; nil for one
    ///   that the report is about alone.
    package func tellEndings(_ runs: [(name: String?, endings: ReplyEndings)]) {
        func tell(
            _ isTold: (ReplyEndings) -> Bool, _ count: (ReplyEndings) -> Int,
            _ premise: (String?, ReplyEndings, Int) -> Premise
        ) {
            let told = runs.filter { isTold($0.endings) }
            let most = told.max { $0.endings.share(count($0.endings)) < $1.endings.share(count($1.endings)) }
            guard let most else { return }
            self.tell(.premise(premise(most.name, most.endings, told.count - 1)))
        }
        tell(\.isMostlyCut, \.undecided) { .cutReplies(of: $0, $1, others: $2) }
        tell(\.isMostlyEmpty, { $0.count(.empty) }) { .emptyReplies(of: $0, $1, others: $2) }
    }
}
