import LinearAlgebra
import Statistics

/// What the replies of one checkpoint to a set of prompts are worth.
struct Evaluation {
    /// The checkpoint's.
    let name: String
    let set: PromptSet
    /// By prompt.
    let replies: [String]
    /// By prompt, whether the reply begins with an accepted answer; nil where there is none.
    let isRight: [Bool?]
    /// The share of right replies that chance would give; nil if it can't be told.
    let chance: Double?
    /// By prompt, the markers in its reply.
    let found: [[Int]]

    init(name: String, set: PromptSet, replies: [String], key: AnswerKey, markers: Markers?) {
        self.name = name
        self.set = set
        self.replies = replies
        isRight = key.isRight(replies)
        chance = key.chance(replies)
        found = replies.map { markers?.found(in: $0) ?? [] }
    }

    /// - Parameter prompts: places of those that count.
    func right(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.compactMap { isRight[$0] }) }

    func matched(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.map { !found[$0].isEmpty }) }

    var all: Range<Int> { replies.indices }

    /// Replies that a marker is in.
    func count(ofMarker marker: Int) -> Int { found.count { $0.contains(marker) } }

    /// Which prompts are listed with their replies.
    enum Listing: String, CaseIterable {
        case wrong, right, matched, unmatched, all

        var needsAnswers: Bool { self == .wrong || self == .right }
        var needsMarkers: Bool { self == .matched || self == .unmatched }
    }

    func prompts(_ listing: Listing) -> [Int] {
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
