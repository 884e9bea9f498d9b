internal import TerminalText

/// A named table of a report: typed columns, rows of cells.
///
/// A row shorter than the columns is read as if missing cells followed; cells beyond the columns are not shown.
package struct Table: Sendable, Equatable {
    package enum Alignment: Sendable, Equatable {
        case left, right
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        /// Shown in the header as `name (unit)`.
        package var unit: String?
        /// Nil: right if the column holds no text, else left.
        package var alignment: Alignment?
        /// Significant digits in tables; nil: four; 17 or more: as many as read back to the same bits.
        package var digits: Int?
        /// Text is shown in quotes to people, so that blanks at its ends can be seen.
        package var isQuoted: Bool
        /// Left out of tables for people, where another part of the report says it; json, csv and the like have it.
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

        /// `name (unit)`, unescaped.
        package var header: String { unit.map { "\(name) (\($0))" } ?? name }
    }

    package var name: String
    package var columns: [Column]
    package var rows: [[Cell]]
    /// Whether the table says what the report's scalars say: only csv, which has no scalars beside tables, shows it.
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

    /// Columns of a terminal that its lines take uncut, header and quotes included.
    package var width: Int {
        let widths = columns.indices.map { column in
            rows.indices.reduce(columns[column].header.escapedForTerminal.displayWidth) { widest, row in
                max(widest, formattedCell(row: row, column: column).displayWidth)
            }
        }
        return widths.reduce(0, +) + 2 * max(0, columns.count - 1)
    }

    /// The table without columns of details.
    var withoutDetails: Table {
        let kept = columns.indices.filter { !columns[$0].isDetail }
        guard kept.count < columns.count else { return self }
        var table = Table(
            name, columns: kept.map { columns[$0] },
            rows: rows.indices.map { row in kept.map { cell(row: row, column: $0) } })
        table.repeatsScalars = repeatsScalars
        return table
    }

    /// The table with every digit shown.
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
