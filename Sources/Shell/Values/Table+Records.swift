import Reports
import TerminalText

extension Table {
    /// The rows of several tables with the same columns, one after another, what they belong to in the first column.
    init(joining parts: [(name: String, table: Table)], by column: Table.Column) {
        self.init(
            parts.first?.table.name ?? "", columns: [column] + (parts.first?.table.columns ?? []),
            rows: parts.flatMap { name, table in table.rows.map { [.text(name)] + $0 } })
    }

    /// Columns of a terminal that its lines take uncut.
    var width: Int {
        let widths = columns.indices.map { column in
            rows.indices.reduce(columns[column].name.displayWidth) { widest, row in
                max(widest, shown(row: row, column: column).displayWidth)
            }
        }
        return widths.reduce(0, +) + 2 * max(0, columns.count - 1)
    }

    /// A block a row with a line a cell, for texts that would be cut off in columns.
    var records: String {
        let nameWidth = columns.map(\.name.escapedForTerminal.displayWidth).max() ?? 0
        return rows.indices.map { row in
            columns.indices.map { column in
                columns[column].name.escapedForTerminal.padded(toWidth: nameWidth) + "  "
                    + shown(row: row, column: column)
            }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    private func shown(row: Int, column: Int) -> String {
        let cell = cell(row: row, column: column)
        guard case .text = cell, columns[column].isQuoted else { return cell.formatted() }
        return "\"\(cell.formatted())\""
    }
}
