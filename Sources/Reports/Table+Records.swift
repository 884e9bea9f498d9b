internal import TerminalText

extension Table {
    /// Joins the rows of several tables with the same columns, one table after another. The first column holds the name
    /// of the part to which a row belongs.
    package init(joining parts: [(name: String, table: Table)], by column: Table.Column) {
        self.init(
            parts.first?.table.name ?? "", columns: [column] + (parts.first?.table.columns ?? []),
            rows: parts.flatMap { name, table in table.rows.map { [.text(name)] + $0 } })
    }

    /// The rows as blocks of text with one line for each cell, for texts that would be cut off in columns.
    package var records: String {
        let nameWidth = columns.map(\.header.escapedForTerminal.displayWidth).max() ?? 0
        return rows.indices.map { row in
            columns.indices.map { column in
                columns[column].header.escapedForTerminal.padded(toWidth: nameWidth) + "  "
                    + formattedCell(row: row, column: column)
            }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}
