import Provenance
import Reports
import Workbench

/// The continuations that several checkpoints make of the same texts.
struct SideBySide {
    private let decodings: [Decoding]

    /// Takes the continuations of each checkpoint.
    ///
    /// - Parameter decodings: At least one. All are of the same texts and have the same number of continuations of
    ///   each.
    init(_ decodings: [Decoding]) { self.decodings = decodings }

    private var set: PromptSet? { decodings[0].made.promptSet }
    private var count: Int { decodings[0].made.count }

    /// Returns a report with one row for each continuation, which has the checkpoint in its first column. A table of
    /// the tokens follows if `listsTokens` is true.
    func report(listsTokens: Bool, notes: [String], recipe: Recipe) -> Report {
        var tables = [joined(\.table)]
        if listsTokens { tables.append(joined(\.tokens)) }
        return Report(tables: tables, notes: notes, recipe: recipe)
    }

    private func joined(_ part: (Continuations) -> Table) -> Table {
        Table(joining: decodings.map { ($0.source.name, part($0.made)) }, by: "checkpoint")
    }

    // MARK: For people

    enum Shown {
        case table(Table)
        case text(String)
    }

    /// Returns the continuations in a form for people to read. For one text it is a block of text for each checkpoint.
    /// For a set of prompts it is a table with one column for each checkpoint, or a block of text for each of its rows
    /// if the table's lines would be cut off.
    ///
    /// - Parameter width: The number of the terminal's columns, or nil if the output may have any width.
    func shown(width: Int?) -> Shown {
        guard let set else {
            return .text(decodings.compactMap { $0.made.blocks($0.source.name) }.joined(separator: "\n\n"))
        }
        let table = table(set)
        guard let width, table.width > width else { return .table(table) }
        return .text(table.records)
    }

    private func table(_ set: PromptSet) -> Table {
        var columns: [Table.Column] = ["prompt"]
        if set.hasLabels { columns.append("label") }
        if count > 1 { columns.append("number") }
        columns.append(.init("prompt text", isQuoted: true))
        columns += decodings.map { .init($0.source.name, isQuoted: true) }
        var table = Table("continuations", columns: columns)
        let texts = decodings.map(\.made.wholeTexts)
        for (index, continuation) in decodings[0].made.results.enumerated() {
            let prompt = set.prompts[continuation.prompt]
            var row: [Cell] = [.integer(continuation.prompt)]
            if set.hasLabels { row.append(prompt.labelCell) }
            if count > 1 { row.append(.integer(continuation.number)) }
            row.append(.text(prompt.text))
            row += texts.map { .text($0[index]) }
            table.append(row)
        }
        return table
    }
}
