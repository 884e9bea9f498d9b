import JSON
import TerminalText
import Workbench

extension Premise {
    /// The premise as a note of a report.
    var note: String {
        switch self {
        case .copies(let set, let distinct, let total):
            "\(distinct) of \(NumberFormat.count(total)) prompts of \(set.escapedForTerminal) are distinct; copies count once."
        case .copiedPairs(let first, let second, let distinct, let total):
            "\(distinct) of \(NumberFormat.count(total)) pairs of \(first.escapedForTerminal) and"
                + " \(second.escapedForTerminal) are distinct; copies count once."
        case .copiesWithOtherLabels(let set, let places):
            "\(counted(places.count, "copy", "copies")) of prompts of \(set.escapedForTerminal)"
                + " \(places.count == 1 ? "has" : "have") another label than the first, which counts:"
                + " \(places.count == 1 ? "prompt" : "prompts")"
                + " \(places.prefix(5).map(String.init).joined(separator: ", "))\(places.count > 5 ? ", …" : "")."
        case .sharedTexts(let first, let second, let count, let example):
            "\(counted(count, "text")) \(count == 1 ? "stands" : "stand") in both \(first.escapedForTerminal) and"
                + " \(second.escapedForTerminal): \(example.truncated(toWidth: 60).jsonQuoted)\(count > 1 ? ", …" : "")."
        }
    }
}
