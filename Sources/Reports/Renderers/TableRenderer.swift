internal import TerminalText

/// Aligned columns for people: title, scalars, tables, text, pictures, notes. Series and grids are drawn if the report
/// shows pictures, else shown as tables only if it has no other. Nothing in it is a control sequence but the line
/// breaks and, if asked, the colour.
package struct TableRenderer: Renderer {
    private let options: RenderOptions

    package init(_ options: RenderOptions = RenderOptions()) {
        self.options = options
    }

    package func render(_ report: Report) -> String {
        var blocks: [String] = []
        if !report.title.isEmpty { blocks.append(report.title.escapedForTerminal + "\n") }
        if !report.scalars.isEmpty { blocks.append(render(report.scalars)) }
        let tables = report.tables.isEmpty && !report.showsPictures ? report.pictureTables : report.tablesBesideScalars
        for table in tables {
            let name = tables.count > 1 && !table.name.isEmpty ? dim(table.name.escapedForTerminal) + "\n" : ""
            blocks.append(name + render(table.withoutDetails))
        }
        if let text = report.text, !text.isEmpty {
            let shown = text.escapedForTerminal(keepingLineBreaks: true)
            blocks.append(shown.utf8.last == UInt8(ascii: "\n") ? shown : shown + "\n")
        }
        blocks += options.pictures(report)
        if !report.notes.isEmpty {
            blocks.append(report.notes.map { $0.escapedForTerminal + "\n" }.joined())
        }
        return blocks.joined(separator: "\n")
    }

    private func render(_ scalars: [Scalar]) -> String {
        let names = scalars.map(\.name.escapedForTerminal)
        let values = scalars.map { scalar in
            scalar.value.formatted() + (scalar.unit.map { " " + $0.escapedForTerminal } ?? "")
        }
        let nameWidth = names.map(\.displayWidth).max() ?? 0
        let valueWidth = values.map(\.displayWidth).max() ?? 0
        return scalars.indices.map { index in
            var line = dim(names[index].padded(toWidth: nameWidth)) + "  " + values[index]
            if let note = scalars[index].note {
                let padding = valueWidth - values[index].displayWidth
                line += String(repeating: " ", count: padding + 2) + note.escapedForTerminal
            }
            return line + "\n"
        }.joined()
    }

    private func render(_ table: Table) -> String {
        let headers = table.columns.map(\.header.escapedForTerminal)
        let cells = table.rows.indices.map { row in
            table.columns.indices.map { table.formattedCell(row: row, column: $0) }
        }
        let widths = fittedWidths(table, headers: headers, cells: cells)
        let alignments = table.columns.indices.map(table.alignment(ofColumn:))
        func line(_ texts: [String]) -> String {
            var line = ""
            for (column, text) in texts.enumerated() {
                let shown = text.truncated(toWidth: widths[column])
                line +=
                    (column == 0 ? "" : "  ")
                    + shown.padded(toWidth: widths[column], right: alignments[column] == .right)
            }
            while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
            return line
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        let body = cells.isEmpty ? "(no rows)\n" : cells.map { line($0) + "\n" }.joined()
        return dim(line(headers)) + "\n" + dim(rule) + "\n" + body
    }

    /// Columns' widths; while the lines are wider than the terminal, the widest column of text loses a column,
    /// down to eight. Numbers are never shortened.
    private func fittedWidths(_ table: Table, headers: [String], cells: [[String]]) -> [Int] {
        var widths = headers.indices.map { column in
            cells.reduce(headers[column].displayWidth) { max($0, $1[column].displayWidth) }
        }
        guard let width = options.width else { return widths }
        var excess = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - width
        let shrinkable = headers.indices.filter { column in
            table.rows.indices.contains { table.cell(row: $0, column: column).isText }
                && table.rows.indices.allSatisfy { row in
                    let cell = table.cell(row: row, column: column)
                    return cell.isText || cell == .missing
                }
        }
        while excess > 0, let widest = shrinkable.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func dim(_ text: String) -> String {
        options.color ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}
