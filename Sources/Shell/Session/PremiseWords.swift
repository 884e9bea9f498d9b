import JSON
import TerminalText
import Workbench

extension Premise {
    /// The premise as a note of a report.
    var note: String {
        switch self {
        case .copies(let set, let distinct, let total):
            "\(distinct) of \(NumberFormat.count(total)) prompts of \(set.escapedForTerminal)"
                + " \(agreeing(distinct)) distinct; copies count once."
        case .copiedPairs(let first, let second, let distinct, let total):
            "\(distinct) of \(NumberFormat.count(total)) pairs of \(first.escapedForTerminal) and"
                + " \(second.escapedForTerminal) \(agreeing(distinct)) distinct; copies count once."
        case .copiesWithOtherLabels(let set, let places):
            "\(counted(places.count, "copy", "copies")) of prompts of \(set.escapedForTerminal)"
                + " \(agreeing(places.count, "has", "have")) another label than the first, which counts:"
                + " \(agreeing(places.count, "prompt", "prompts"))"
                + " \(places.prefix(5).map(String.init).joined(separator: ", "))\(places.count > 5 ? ", …" : "")."
        case .firstRowsLeftOut(let rows): "\(rows) --with-first keeps them."
        case .heavyRows(let rows): rows.description
        case .sharedTexts(let first, let second, let count, let example):
            "\(counted(count, "text")) \(agreeing(count, "stands", "stand")) in both \(first.escapedForTerminal) and"
                + " \(second.escapedForTerminal): \(example.truncated(toWidth: 60).jsonQuoted)\(count > 1 ? ", …" : "")."
        case .linesLeftOut(let file, let losses): "Of \(file.escapedForTerminal): \(losses.words)."
        case .doubledMark(let mark, let title, let count, let total):
            (title == .text && total == 1 ? "The text" : "\(count) of \(title.texts(total))")
                + " already \(agreeing(count, "begins", "begin")) \(mark.words); \(title.remedy(mark))."
        case .unrendered(let title, let total):
            (title == .text && total == 1
                ? "The text does not look rendered: it holds"
                : "None of \(title.texts(total)) looks rendered: they hold")
                + " no special token of the checkpoint, and without --rendered it adds its own."
        case .modelsDiffer(let a, let b, let differences): ModelDifference.sentences(differences, a, b)
        case .settingsOf(let name): "A checkpoint made of both has the settings of \(name.escapedForTerminal)."
        case .tiedHead(let checkpoint, let head, let embedding):
            "The output matrix of \(checkpoint.escapedForTerminal) is its embedding (tied):"
                + " \(embedding.escapedForTerminal) stands for its \(head.escapedForTerminal)."
        case .cutReplies(let owner, let replies, let others):
            Self.replies(replies.cut, replies, owner)
                + " \(agreeing(replies.cut, "was", "were")) cut off at \(replies.cutPlace):"
                + " \(replies.seeksPhrases ? "phrases that come" : "what comes") later"
                + " \(replies.seeksPhrases ? "are" : "is") not seen\(Self.others(others))."
        case .emptyReplies(let owner, let replies, let others):
            Self.replies(replies.count(.empty), replies, owner)
                + " \(agreeing(replies.count(.empty))) empty\(Self.others(others))."
        }
    }

    private static func replies(_ count: Int, _ replies: ReplyEndings, _ owner: String?) -> String {
        "\(count) of \(NumberFormat.count(replies.total)) \(agreeing(replies.total, "reply", "replies"))"
            + (owner.map { " of \($0.escapedForTerminal)" } ?? "")
    }

    private static func others(_ count: Int) -> String {
        count == 0 ? "" : "; the same holds of \(counted(count, "more run"))"
    }
}

extension PromptSet.Title {
    /// The texts of the set with their number, such as `20 prompts of corpus`.
    fileprivate func texts(_ total: Int) -> String {
        switch self {
        case .text: counted(total, "text")
        case .set(let name), .file(let name): "\(counted(total, "prompt")) of \(name.escapedForTerminal)"
        }
    }

    /// What to do about a mark that the texts have twice.
    fileprivate func remedy(_ mark: DoubledMark) -> String {
        let way = (mark == .turn ? "--rendered instead of --chat" : "--rendered") + " adds nothing"
        return switch self {
        case .text: way
        case .set: "prompts FILE \(way)"
        case .file: "take it off the texts"
        }
    }
}
