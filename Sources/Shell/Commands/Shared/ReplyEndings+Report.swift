import Reports
import TerminalText
import Workbench

extension ReplyEndings {
    /// Returns a column for each way in which replies end, and one for empty replies. Tables for people show what
    /// qualifies a rate: replies that were cut off or are empty, and those that filled the context if there are any.
    static func columns(_ all: [ReplyEndings]) -> [Table.Column] {
        let shown: Set<Kind> = [.cutOff, .empty]
        return Kind.allCases.map { kind in
            let isFilled = kind == .contextFull && all.contains { $0.count(kind) > 0 }
            return .init(kind.rawValue, isDetail: !shown.contains(kind) && !isFilled)
        }
    }

    /// The number of replies of each kind, in the order of `columns`.
    var cells: [Cell] { Kind.allCases.map { .integer(count($0)) } }

    /// The number of replies of each kind.
    ///
    /// - Parameter owner: The checkpoint that has made them, where a report is about several.
    func scalars(of owner: String? = nil) -> [Scalar] {
        Kind.allCases.map {
            Scalar(
                (owner.map { "\($0) " } ?? "") + $0.rawValue, .integer(count($0)),
                note: "of \(counted(total, "reply", "replies"))")
        }
    }
}

extension Report {
    /// Adds how the replies of checkpoints to a set of prompts ended: as scalars, and for csv as a table. Empty replies
    /// are told as a premise.
    mutating func add(endings decodings: [Decoding], in context: RunContext) {
        guard decodings[0].made.promptSet != nil else { return }
        let all = decodings.map { ReplyEndings($0) }
        var table = Table("endings", columns: ["checkpoint"] + ReplyEndings.columns(all) + ["N"])
        table.repeatsScalars = true
        var runs: [(name: String?, endings: ReplyEndings)] = []
        for (decoding, endings) in zip(decodings, all) {
            let name = decoding.source.name
            scalars += endings.scalars(of: decodings.count == 1 ? nil : name)
            table.append([.text(name)] + endings.cells + [.integer(endings.total)])
            runs.append((name: decodings.count == 1 ? nil : name, endings: endings))
        }
        tables.append(table)
        context.tellEndings(runs)
    }
}
