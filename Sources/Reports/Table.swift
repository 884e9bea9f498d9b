internal import TerminalText

/// A named table of a report, with typed columns and rows of cells.
///
/// A row that is shorter than the columns is read as if missing cells followed. Cells beyond the columns are not shown.
package struct Table: Sendable, Equatable {
    package enum Alignment: Sendable, Equatable {
        case left, right
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        /// The unit, which the header shows as `name (unit)`.
        package var unit: String?
        /// The alignment. When it is nil, the column is aligned right if it holds no text, and left otherwise.
        package var alignment: Alignment?
        /// The number of significant digits in tables, where nil stands for four. With 17 or more, a number has as many
        /// digits as are needed to read back the same bits.
        package var digits: Int?
        /// Whether text is shown to people in quotes, so that blanks at its ends can be seen.
        package var isQuoted: Bool
        /// Whether the column is left out of tables for people, because another part of the report contains it. Formats
        /// such as json and csv keep it.
        package var isDetail: Bool

        package init(
            _ name: String, unit: String? = nil, alignment: Alignment? = nil, digits: Int? = nil,
            isQuoted: Bool = false,
            isDetail: Bool = false
        ) {
            self.name = name
            self.unit = unit
            self.alignment = alignment
            self.digits = digits
            self.isQuoted = isQuoted
            self.isDetail = isDetail
        }

        /// The header of the column, `name (unit)`, which is not escaped.
        package var header: String { unit.map { "\(name) (\($0))" } ?? name }
    }

    package var name: String
    package var columns: [Column]
    package var rows: [[Cell]]
    /// Whether the table repeats the report's scalars. Then only csv shows it, which has no scalars beside tables.
    package var repeatsScalars = false

    package init(_ name: String, columns: [Column], rows: [[Cell]] = []) {
        self.name = name
        self.columns = columns
        self.rows = rows
    }

    package mutating func append(_ row: [Cell]) {
        assert(row.count == columns.count, "\(row.count) cells for \(columns.count) columns of \(name)")
        rows.append(row)
    }

    package func cell(row: Int, column: Int) -> Cell {
        column < rows[row].count ? rows[row][column] : .missing
    }

    /// The number of terminal columns that uncut lines of the table take, including headers and quotes.
    package var width: Int {
        let widths = columns.indices.map { column in
            rows.indices.reduce(columns[column].header.escapedForTerminal.displayWidth) { widest, row in
                max(widest, formattedCell(row: row, column: column).displayWidth)
            }
        }
        return widths.reduce(0, +) + 2 * max(0, columns.count - 1)
    }

    /// The table without its columns of details.
    var withoutDetails: Table {
        let kept = columns.indices.filter { !columns[$0].isDetail }
        guard kept.count < columns.count else { return self }
        var table = Table(
            name, columns: kept.map { columns[$0] },
            rows: rows.indices.map { row in kept.map { cell(row: row, column: $0) } })
        table.repeatsScalars = repeatsScalars
        return table
    }

    /// The table with all digits of its numbers shown.
    var atFullPrecision: Table {
        var table = self
        for column in table.columns.indices { table.columns[column].digits = NumberFormat.fullPrecision }
        return table
    }

    func alignment(ofColumn column: Int) -> Alignment {
        if let alignment = columns[column].alignment { return alignment }
        return rows.indices.contains { cell(row: $0, column: column).isText } ? .left : .right
    }

    package func formattedCell(row: Int, column: Int) -> String {
        let cell = cell(row: row, column: column)
        let text = cell.formatted(digits: columns[column].digits ?? NumberFormat.defaultDigits)
        return columns[column].isQuoted && cell.isText ? "\"\(text)\"" : text
    }
}

extension Table.Column: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}
