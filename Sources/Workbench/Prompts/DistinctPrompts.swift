import Checkpoints

/// The distinct prompts of a set. A text that stands in the set several times is one prompt: copies say nothing new, so
/// that a study which splits prompts, or counts them in an interval, takes each text once.
package struct DistinctPrompts {
    /// The set with the first copy of each text. Its accepted answers are those of all copies together.
    package let set: PromptSet
    /// The number of prompts before copies were left out.
    package let total: Int
    /// The places, in the set as it was read, of prompts whose label is another one than that of the first copy.
    package let otherLabels: [Int]

    package init(_ set: PromptSet) {
        var firsts: [String: Int] = [:]
        var kept: [PromptSet.Prompt] = []
        var places: [Int] = []
        var otherLabels: [Int] = []
        for (index, prompt) in set.prompts.enumerated() {
            guard let first = firsts[prompt.text] else {
                firsts[prompt.text] = kept.count
                kept.append(prompt)
                places.append(set.places[index])
                continue
            }
            let copy = kept[first]
            if copy.label != prompt.label { otherLabels.append(set.places[index]) }
            let more = prompt.answers.filter { !copy.answers.contains($0) }
            guard !more.isEmpty else { continue }
            kept[first] = PromptSet.Prompt(text: copy.text, label: copy.label, answers: copy.answers + more)
        }
        total = set.prompts.count
        self.otherLabels = otherLabels
        self.set = kept.count == total ? set : set.replacing(kept, places: places)
    }

    /// Returns what a study that takes each distinct prompt once rests on.
    ///
    /// - Parameter name: the name of the set in what is told.
    package func premises(name: String) -> [Premise] {
        var premises: [Premise] = []
        if set.prompts.count < total {
            premises.append(.copies(set: name, distinct: set.prompts.count, total: total))
        }
        if !otherLabels.isEmpty { premises.append(.copiesWithOtherLabels(set: name, places: otherLabels)) }
        return premises
    }
}

extension PromptSet {
    /// Returns what there is to say of the texts that stand in both of two sets; nil if there are none.
    package static func shared(
        _ first: (name: String, set: PromptSet), _ second: (name: String, set: PromptSet)
    ) -> Premise? {
        var texts = Set(second.set.prompts.map(\.text))
        let shared = first.set.prompts.map(\.text).filter { texts.remove($0) != nil }
        return shared.first.map { .sharedTexts(first.name, second.name, count: shared.count, example: $0) }
    }

    /// Returns the set with the prompts of these indices alone, in this order.
    package func selecting(_ indices: [Int]) -> PromptSet {
        replacing(indices.map { prompts[$0] }, places: indices.map { places[$0] })
    }
}

extension RunContext {
    /// Returns a set with each distinct prompt once, for a study that splits prompts or counts them in an interval, and
    /// tells how many there were.
    ///
    /// - Parameter name: the name of the set in what is told.
    package func distinct(_ set: PromptSet, name: String) -> PromptSet {
        let distinct = DistinctPrompts(set)
        for premise in distinct.premises(name: name) { tell(.premise(premise)) }
        return distinct.set
    }

    /// Returns two sets with each distinct pair of prompts once, row i of one and row i of the other, and tells how many
    /// pairs there were.
    ///
    /// - Throws: `WorkbenchError.differentLosses` if reading left out different lines of the two sets, so that pairs may
    ///   have shifted.
    package func distinctPairs(
        _ first: (name: String, set: PromptSet), _ second: (name: String, set: PromptSet)
    ) throws -> (PromptSet, PromptSet) {
        try Self.checkArePairs(
            (first.name, first.set.losses.withoutText), (second.name, second.set.losses.withoutText))
        // Sets of different sizes are no pairs, which the study itself refuses.
        guard first.set.prompts.count == second.set.prompts.count else { return (first.set, second.set) }
        let kept = distinctPairs(
            (first.name, first.set.prompts.map(\.text)), (second.name, second.set.prompts.map(\.text)))
        return kept.map { (first.set.selecting($0), second.set.selecting($0)) } ?? (first.set, second.set)
    }

    /// - Throws: `WorkbenchError.differentLosses` if reading left out different lines of two sets, by number, so that their
    ///   pairs may have shifted.
    private static func checkArePairs(
        _ first: (name: String, lost: [Int]), _ second: (name: String, lost: [Int])
    ) throws {
        guard first.lost == second.lost else {
            throw WorkbenchError.differentLosses(first.name, second.name, lines: first.lost, otherLines: second.lost)
        }
    }

    /// Returns the indices of the first copies of pairs of texts, row i of one list and row i of the other, and tells how
    /// many pairs there were.
    ///
    /// - Returns: nil if all pairs are distinct.
    private func distinctPairs(
        _ first: (name: String, texts: [String]), _ second: (name: String, texts: [String])
    ) -> [Int]? {
        var seen: Set<[String]> = []
        let pairs = zip(first.texts, second.texts).map { [$0, $1] }
        let kept = pairs.indices.filter { seen.insert(pairs[$0]).inserted }
        guard kept.count < pairs.count else { return nil }
        tell(.premise(.copiedPairs(first.name, second.name, distinct: kept.count, total: pairs.count)))
        return kept
    }

    /// Tells which texts stand in both of two sets that a study tells apart, or keeps apart.
    package func checkApart(_ first: (name: String, set: PromptSet), _ second: (name: String, set: PromptSet)) {
        if let premise = PromptSet.shared(first, second) { tell(.premise(premise)) }
    }

    /// Returns the numbers of those rows of two captures whose prompts are the first copies of their texts, and tells
    /// how many prompts are distinct. Of pairs (row i of one belongs to row i of the other) each counts once.
    ///
    /// - Returns: nil for a capture of which all rows are kept.
    /// - Throws: `WorkbenchError.differentLosses` for pairs, as of two sets, if both captures say which lines were left
    ///   out.
    package func distinctRows(
        _ first: (name: String, capture: Capture), _ second: (name: String, capture: Capture), isPaired: Bool
    ) throws -> ([Int]?, [Int]?) {
        if isPaired, let lost = first.capture.linesWithoutText, let others = second.capture.linesWithoutText {
            try Self.checkArePairs((first.name, lost), (second.name, others))
        }
        checkApart((first.name, first.capture.promptSet), (second.name, second.capture.promptSet))
        let captures = [first.capture, second.capture]
        if isPaired {
            let texts = captures.map { capture in capture.rows.map { capture.prompts[Int($0.prompt)].text } }
            // With several rows of a prompt, equal texts don't make equal pairs.
            guard texts[0].count == texts[1].count, captures.allSatisfy(\.hasOneRowAPrompt) else { return (nil, nil) }
            let kept = distinctPairs((first.name, texts[0]), (second.name, texts[1]))
            return (kept, kept)
        }
        return (distinctRows(first.capture, name: first.name), distinctRows(second.capture, name: second.name))
    }

    /// Returns the numbers of those rows of a capture whose prompts are the first copies of their texts, and tells how
    /// many prompts are distinct.
    ///
    /// - Returns: nil if all rows are kept.
    package func distinctRows(_ capture: Capture, name: String) -> [Int]? {
        let set = distinct(capture.promptSet, name: name)
        guard set.prompts.count < capture.prompts.count else { return nil }
        let firsts = Set(set.places)
        return capture.rows.indices.filter { firsts.contains(Int(capture.rows[$0].prompt)) }
    }
}

extension Capture {
    /// The prompts as a set. The place of each is its index in the capture.
    fileprivate var promptSet: PromptSet {
        PromptSet(source: "", prompts: prompts.map { .init(text: $0.text, label: $0.label) }, isChat: false)
    }

    /// Whether each row is of another prompt.
    fileprivate var hasOneRowAPrompt: Bool { Set(rows.map(\.prompt)).count == rows.count }
}
