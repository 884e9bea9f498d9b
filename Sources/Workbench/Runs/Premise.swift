/// Something that the numbers of a report rest on and that their reader could not know otherwise, such as that most of
/// a set's prompts are copies of others. A study tells it as an event; the report of the command then says it.
package enum Premise: Hashable, Sendable {
    /// A study took each distinct prompt of a set once.
    case copies(set: String, distinct: Int, total: Int)
    /// A study took each distinct pair of two sets' prompts once.
    case copiedPairs(_ first: String, _ second: String, distinct: Int, total: Int)
    /// Copies of a prompt have other labels than its first copy, whose label counts.
    case copiesWithOtherLabels(set: String, places: [Int])
    /// Texts stand in both of two sets that a study tells apart or keeps apart.
    case sharedTexts(_ first: String, _ second: String, count: Int, example: String)
    /// Reading a file left out some of its lines, or took several equal lines as one.
    case linesLeftOut(file: String, ReadingLosses)
    /// Some texts of a set already begin with a mark that encoding adds again.
    case doubledMark(DoubledMark, in: PromptSet.Title, count: Int, total: Int)
    /// No text of a set that is said to be rendered has a mark of the checkpoint.
    case unrendered(PromptSet.Title, total: Int)
    /// Two models that are compared differ in more than their weights.
    case modelsDiffer(_ a: String, _ b: String, [ModelDifference])
    /// A checkpoint that was made of several that differ in settings has those of one of them.
    case settingsOf(String)
    /// The embedding of a tied model was taken for its output matrix, because other checkpoints have one of their own.
    case tiedHead(checkpoint: String, head: String, embedding: String)
    /// So many replies were cut off before it was clear what they hold that their rate means little. `of` says which
    /// replies they are; `others` counts further runs of which the same holds.
    case cutReplies(of: String?, ReplyEndings, others: Int)
    /// So many replies hold no words that their rate means little; `of` and `others` are as for `cutReplies`.
    case emptyReplies(of: String?, ReplyEndings, others: Int)
    /// The positions `all` and `mean` leave out the first row of some prompts, an outlier among the other rows.
    case firstRowsLeftOut(FirstRowsLeftOut)
    /// Few rows of a set, far longer than the others or far from the mean, make much of the numbers about it.
    case heavyRows(HeavyRows)
}

extension Premise {
    /// Whether another premise says nothing more than this: that of a part of the same set, or the same.
    package func covers(_ other: Premise) -> Bool {
        switch (self, other) {
        case (.doubledMark(let mark, let title, _, _), .doubledMark(let otherMark, let otherTitle, _, _)):
            mark == otherMark && title == otherTitle
        case (.unrendered(let title, _), .unrendered(let otherTitle, _)): title == otherTitle
        default: self == other
        }
    }
}
