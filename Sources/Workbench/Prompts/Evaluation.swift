import LinearAlgebra
package import Statistics

/// The replies of one checkpoint to a set of prompts, compared with the accepted answers and searched for markers.
package struct Evaluation {
    /// The checkpoint's name.
    package let name: String
    package let set: PromptSet
    /// The reply to each prompt.
    package let replies: [String]
    /// For each prompt, whether the reply begins with an accepted answer; nil if the prompt has none.
    package let isRight: [Bool?]
    /// The share of right replies that chance would give; nil with fewer than two prompts that have answers.
    package let chance: Double?
    /// For each prompt, the indices of the markers (phrases that are searched for) that its reply contains.
    package let found: [[Int]]
    /// How the replies ended, and how many are empty.
    package let endings: ReplyEndings

    /// Judges the replies that a checkpoint has made to the prompts of a set.
    package init(_ decoding: Decoding, set: PromptSet, key: AnswerKey, markers: Markers?) {
        self.init(
            name: decoding.source.name, set: set, replies: decoding.made.wholeTexts,
            endings: ReplyEndings(decoding, markers: markers, key: key), key: key, markers: markers)
    }

    package init(
        name: String, set: PromptSet, replies: [String], endings: ReplyEndings = ReplyEndings(), key: AnswerKey,
        markers: Markers?
    ) {
        self.name = name
        self.endings = endings
        self.set = set
        self.replies = replies
        isRight = key.isRight(replies)
        chance = key.chance(replies)
        found = replies.map { markers?.found(in: $0) ?? [] }
    }

    /// Counts the replies that begin with an accepted answer, among those prompts that have answers.
    ///
    /// - Parameter prompts: the indices of the prompts that are counted.
    package func right(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.compactMap { isRight[$0] }) }

    /// Counts, among the prompts with the given indices, those whose reply contains at least one marker (searched
    /// phrase).
    package func matched(_ prompts: some Sequence<Int>) -> Proportion { Proportion(prompts.map { !found[$0].isEmpty }) }

    package var all: Range<Int> { replies.indices }

    /// Returns the number of replies that contain the marker (searched phrase) with the given index.
    package func count(ofMarker marker: Int) -> Int { found.count { $0.contains(marker) } }

    /// A choice of the prompts that a report lists with their replies.
    package enum Listing: String, CaseIterable {
        case wrong, right, matched, unmatched, all

        package var needsAnswers: Bool { self == .wrong || self == .right }
        package var needsMarkers: Bool { self == .matched || self == .unmatched }
    }

    /// Returns the indices of the prompts that a listing of replies shows.
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
