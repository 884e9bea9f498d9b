import TerminalText

/// The reason why a path names no value of a report, with a remedy that says which values there are.
package struct ReportPathError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package let remedy: String
    /// Whether the path is malformed, so that it can name nothing in any report.
    package let isMalformed: Bool

    init(_ problem: String, remedy: String, isMalformed: Bool = false) {
        self.problem = problem
        self.remedy = remedy
        self.isMalformed = isMalformed
    }

    package var description: String { "\(problem); \(remedy)" }
}

/// The access to the values of a report by name: `SCALAR`, `SCALAR.low`, `.high`, `.null`, `TABLE[row,column]` and
/// `value`.
///
/// Blanks and signs in a name may be written as `_`.
package struct ReportPath {
    private let report: Report
    /// The name that the report has in the session.
    private let name: String

    package init(_ report: Report, name: String) {
        self.report = report
        self.name = name
    }

    /// Returns the value at the rest of a path, which follows the report's name: `.SCALAR` or `[row,column]`.
    ///
    /// - Throws: `ReportPathError` if the report has no such value.
    package func cell(_ rest: Substring) throws -> Cell {
        var rest = rest
        if rest.first == "." { rest = rest.dropFirst() }
        if let scalar = scalar(rest) { return scalar.value }
        if Self.names(rest, "value") {
            guard let value = report.value else { throw ReportPathError("\(name) holds no number", remedy: contents) }
            return .number(value)
        }
        if let (cell, end) = try tableCell(rest) {
            return try part(end.isEmpty ? end : end.dropFirst(), of: cell, null: nil, rest)
        }
        if let dot = rest.lastIndex(of: "."), let scalar = scalar(rest[..<dot]) {
            return try part(rest[rest.index(after: dot)...], of: scalar.value, null: scalar.null, rest)
        }
        let shown = String(rest).escapedForTerminal
        throw ReportPathError(
            rest.isEmpty ? "\(name) holds several values" : "\(name) has no \(shown)", remedy: contents)
    }

    private func scalar(_ name: some StringProtocol) -> Scalar? {
        report.scalars.first { $0.name == name } ?? report.scalars.first { Self.names(name, $0.name) }
    }

    private func part(_ part: Substring, of cell: Cell, null: Double?, _ path: Substring) throws -> Cell {
        switch (part, cell) {
        case ("", _), ("value", _): return cell
        case ("low", .interval(_, let low, _)): return .number(low)
        case ("high", .interval(_, _, let high)): return .number(high)
        case ("null", _) where null != nil: return Cell(null)
        default: break
        }
        let hasInterval = if case .interval = cell { true } else { false }
        let parts = (hasInterval ? ["low", "high"] : []) + (null == nil ? [] : ["null"])
        let owner = path.dropLast(part.count + 1)
        throw ReportPathError(
            "\(name).\(String(owner).escapedForTerminal) has no \(String(part).escapedForTerminal)",
            remedy: parts.isEmpty ? "it is a value alone" : "it has \(parts.joined(separator: " and "))")
    }

    // MARK: Tables

    /// The tables of the report, or if it has none its curves and heat maps as tables.
    private var tables: [Table] {
        report.tables.isEmpty ? report.series.map(\.table) + report.grids.map(\.table) : report.tablesBesideScalars
    }

    /// Returns the cell of `TABLE[row,column]` and the part of the path that follows it, or nil if the path is not of
    /// that form.
    ///
    /// - Throws: `ReportPathError` if there is no such table, row or column.
    private func tableCell(_ path: Substring) throws -> (cell: Cell, rest: Substring)? {
        guard let open = path.firstIndex(of: "["), let close = path.lastIndex(of: "]"), open < close else { return nil }
        let rest = path[path.index(after: close)...]
        guard rest.isEmpty || rest.first == "." else { return nil }
        let table = try table(path[..<open])
        let place = path[path.index(after: open)..<close]
        // The row and the column may themselves contain commas.
        let commas = place.indices.filter { place[$0] == "," }
        guard !commas.isEmpty else {
            throw ReportPathError(
                "[...] takes a row and a column", remedy: "write \(name)[0,COLUMN]; \(contents)", isMalformed: true)
        }
        // No title has this many, and each is held against all columns.
        for comma in commas.suffix(64).reversed() {
            if let column = column(place[place.index(after: comma)...].withoutOuterBlanks, of: table) {
                let row = try row(place[..<comma].withoutOuterBlanks, of: table)
                return (table.cell(row: row, column: column), rest)
            }
        }
        let wanted = String(place[place.index(after: commas[commas.count - 1])...].withoutOuterBlanks)
        throw ReportPathError(
            "\(tableName(table)) has no column \(wanted.escapedForTerminal)",
            remedy: "it has \(Self.list(table.columns.map(\.name)))")
    }

    private func table(_ wanted: Substring) throws -> Table {
        if wanted.isEmpty, tables.count == 1 { return tables[0] }
        if let found = tables.first(where: { $0.name == wanted })
            ?? tables.first(where: { Self.names(wanted, $0.name) }),
            !wanted.isEmpty
        {
            return found
        }
        throw ReportPathError(
            wanted.isEmpty
                ? "\(name) has \(counted(tables.count, "table"))"
                : "\(name) has no table \(String(wanted).escapedForTerminal)", remedy: contents)
    }

    /// Returns the index of a column that is named by its title, or if no title fits by its number from 0. It returns
    /// nil if there is none.
    private func column(_ wanted: Substring, of table: Table) -> Int? {
        let columns = table.columns
        func title(_ column: Table.Column) -> String { column.unit.map { "\(column.name) (\($0))" } ?? column.name }
        return columns.firstIndex { $0.name == wanted || title($0) == wanted }
            ?? columns.firstIndex { Self.names(wanted, $0.name) || Self.names(wanted, title($0)) }
            ?? Int(wanted).flatMap { columns.indices.contains($0) ? $0 : nil }
    }

    /// Returns the index of a row that is named by the text in its first column or by its number, which is counted from
    /// 0, or from the end if it is negative.
    ///
    /// - Throws: `ReportPathError` if there is no such row, or if several have that text.
    private func row(_ wanted: Substring, of table: Table) throws -> Int {
        let count = table.rows.count
        let texts = table.rows.indices.map { row -> String? in
            if case .text(let text) = table.cell(row: row, column: 0) { text } else { nil }
        }
        func only(_ rows: [Int]) throws -> Int? {
            guard rows.count > 1 else { return rows.first }
            throw ReportPathError(
                "\(tableName(table)) has \(rows.count) rows \(String(wanted).escapedForTerminal)",
                remedy: "give a row's number: \(Self.list(rows.map(String.init)))")
        }
        if let row = try only(texts.indices.filter { texts[$0] == String(wanted) }) { return row }
        if let number = Int(wanted) {
            guard number >= -count, number < count else {
                throw ReportPathError(
                    "\(tableName(table)) has no row \(number)",
                    remedy: count == 0 ? "it has none" : "its rows are 0 to \(count - 1)")
            }
            return number < 0 ? count + number : number
        }
        if let row = try only(texts.indices.filter { texts[$0].map { Self.names(wanted, $0) } ?? false }) { return row }
        let known = texts.compactMap(\.self)
        throw ReportPathError(
            "\(tableName(table)) has no row \(String(wanted).escapedForTerminal)",
            remedy: "give a number from 0" + (known.isEmpty ? "" : ", or one of \(Self.list(known))"))
    }

    private func tableName(_ table: Table) -> String {
        tables.count == 1 || table.name.isEmpty ? name : "\(name).\(table.name.escapedForTerminal)"
    }

    // MARK: Names

    /// All paths that name a value or a table, for completion, such as `it.entropy` and `it[`.
    package var candidates: [String] {
        var all = report.value == nil ? [] : ["\(name).value"]
        for scalar in report.scalars {
            let path = "\(name).\(Self.plain(scalar.name))"
            all.append(path)
            if case .interval = scalar.value { all += ["\(path).low", "\(path).high"] }
            if scalar.null != nil { all.append("\(path).null") }
        }
        return all + tables.map { tables.count == 1 ? "\(name)[" : "\(name).\(Self.plain($0.name))[" }
    }

    private var contents: String {
        var parts: [String] = []
        if !report.scalars.isEmpty { parts.append(Self.list(report.scalars.map { Self.plain($0.name) })) }
        parts += tables.prefix(4).map { table in
            let prefix = tables.count == 1 ? name : "\(name).\(Self.plain(table.name))"
            return "\(prefix)[row,column] with the columns \(Self.list(table.columns.map(\.name)))"
        }
        return parts.isEmpty ? "it has no scalars and no tables" : "it has \(parts.joined(separator: "; and "))"
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(12).joined(separator: ", ").escapedForTerminal + (names.count > 12 ? ", ..." : "")
    }

    /// Returns whether a word names a name, in which `_` stands for any run of characters other than letters, digits,
    /// points and dashes.
    private static func names(_ word: some StringProtocol, _ name: String) -> Bool {
        word == name || plain(String(word)) == plain(name)
    }

    /// Returns a name in the form that a path may use, such as `KL_nats` for `KL (nats)`.
    private static func plain(_ name: String) -> String {
        let words = name.split { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }
        return words.joined(separator: "_")
    }
}
