import Provenance
import Reports
import Workbench

/// What several checkpoints make of the same texts.
struct SideBySide {
    private let decodings: [Decoding]

    /// - Parameter decodings: at least one; all of the same texts, with as many continuations each.
    init(_ decodings: [Decoding]) { self.decodings = decodings }

    private var set: PromptSet? { decodings[0].made.promptSet }
    private var count: Int { decodings[0].made.count }

    /// Every continuation in a row of its own, the checkpoint in its first column; with its tokens if asked.
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

    /// A block a checkpoint for one text; for prompts a table with a column a checkpoint, and where its lines would be
    /// cut off, a block a prompt.
    ///
    /// - Parameter width: the terminal's; nil: as wide as it needs.
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
