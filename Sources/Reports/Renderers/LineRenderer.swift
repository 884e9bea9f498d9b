internal import TerminalText

/// One value a line, `name | value`, a rule before each record; for rows too wide for a table.
package struct LineRenderer: Renderer {
    private let options: RenderOptions

    package init(_ options: RenderOptions = RenderOptions()) {
        self.options = options
    }

    package func render(_ report: Report) -> String {
        var blocks: [String] = []
        if !report.title.isEmpty { blocks.append(report.title.escapedForTerminal + "\n") }
        if !report.scalars.isEmpty {
            blocks.append(
                records(
                    report.scalars.map { scalar in
                        let note = scalar.note.map { "  " + $0.escapedForTerminal } ?? ""
                        let name = scalar.unit.map { "\(scalar.name) (\($0))" } ?? scalar.name
                        return (name.escapedForTerminal, scalar.value.formatted() + note)
                    }))
        }
        let tables =
            report.tables.isEmpty && !report.showsPictures ? report.pictureTables : report.tablesBesideScalars
        for table in tables {
            let headers = table.columns.map(\.header.escapedForTerminal)
            let name = table.name.isEmpty ? "" : " " + table.name.escapedForTerminal
            blocks.append(
                table.rows.indices.map { row in
                    let title = dim("-[\(name) \(row + 1) ]-") + "\n"
                    let pairs = headers.indices.map { (headers[$0], table.formattedCell(row: row, column: $0)) }
                    return title + records(pairs)
                }.joined())
        }
        if let text = report.text, !text.isEmpty {
            let shown = text.escapedForTerminal(keepingLineBreaks: true)
            blocks.append(shown.utf8.last == UInt8(ascii: "\n") ? shown : shown + "\n")
        }
        blocks += options.pictures(report)
        if !report.notes.isEmpty { blocks.append(report.notes.map { $0.escapedForTerminal + "\n" }.joined()) }
        return blocks.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func records(_ pairs: [(name: String, value: String)]) -> String {
        let width = pairs.map(\.name.displayWidth).max() ?? 0
        return pairs.map { "\(dim($0.name.padded(toWidth: width))) | \($0.value)\n" }.joined()
    }

    private func dim(_ text: String) -> String {
        options.color ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}
