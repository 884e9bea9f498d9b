import LinearAlgebra
package import Statistics

/// What the replies of one checkpoint to a set of prompts are worth.
package struct Evaluation {
    /// The checkpoint's.
    package let name: String
    package let set: PromptSet
    /// By prompt.
    package let replies: [String]
    /// By prompt, whether the reply begins with an accepted answer; nil where there is none.
    package let isRight: [Bool?]
    /// The share of right replies that chance would give; nil if it can't be told.
    package let chance: Double?
    /// By prompt, the markers in its reply.
    package let found: [[Int]]

    package init(name: String, set: PromptSet, replies: [String], key: AnswerKey, markers: Markers?) {
        self.name = name
        self.set = set
        self.replies = replies
        isRight = key.isRight(replies)
        chance = key.chance(replies)
        found = replies.map { markers?.found(in: $0) ?? [] }
    }

    /// - Parameter prompts: places of those that count.
    package func right(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.compactMap { isRight[$0] }) }

    package func matched(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.map { !found[$0].isEmpty }) }

    package var all: Range<Int> { replies.indices }

    /// Replies that a marker is in.
    package func count(ofMarker marker: Int) -> Int { found.count { $0.contains(marker) } }

    /// Which prompts are listed with their replies.
    package enum Listing: String, CaseIterable {
        case wrong, right, matched, unmatched, all

        package var needsAnswers: Bool { self == .wrong || self == .right }
        package var needsMarkers: Bool { self == .matched || self == .unmatched }
    }

    package func prompts(_ listing: Listing) -> [Int] {
        all.filter { prompt in
            switch listing {
            case .wrong: isRight[prompt] == false
            case .right: isRight[prompt] == true
            case .matched: !found[prompt].isEmpty
            case .unmatched: found[prompt].isEmpty
            case .all: true
            }
        }
    }
}
