import TerminalText

/// Why a path names no value of a report: the remedy says what there is.
package struct ReportPathError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package let remedy: String
    /// Whether the path can name nothing in any report.
    package let isMalformed: Bool

    init(_ problem: String, remedy: String, isMalformed: Bool = false) {
        self.problem = problem
        self.remedy = remedy
        self.isMalformed = isMalformed
    }

    package var description: String { "\(problem); \(remedy)" }
}

/// The values of a report by their names: `SCALAR`, `SCALAR.low`, `.high`, `.null`, `TABLE[row,column]`, `value`.
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

    /// What follows the report's name: `.SCALAR` or `[row,column]`.
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

    /// Tables, or where there are none what stands for them: curves and heat maps.
    private var tables: [Table] {
        report.tables.isEmpty ? report.series.map(\.table) + report.grids.map(\.table) : report.tablesBesideScalars
    }

    /// The cell of `TABLE[row,column]` and what follows it.
    private func tableCell(_ path: Substring) throws -> (cell: Cell, rest: Substring)? {
        guard let open = path.firstIndex(of: "["), let close = path.lastIndex(of: "]"), open < close else { return nil }
        let rest = path[path.index(after: close)...]
        guard rest.isEmpty || rest.first == "." else { return nil }
        let table = try table(path[..<open])
        let place = path[path.index(after: open)..<close]
        // Either side may hold a comma.
        let commas = place.indices.filter { place[$0] == "," }
        guard !commas.isEmpty else {
            throw ReportPathError(
                "[...] takes a row and a column", remedy: "write \(name)[0,COLUMN]; \(contents)", isMalformed: true)
        }
        for comma in commas.reversed() {
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

    /// By its title, or where none is called so by its number from 0.
    private func column(_ wanted: Substring, of table: Table) -> Int? {
        let columns = table.columns
        func title(_ column: Table.Column) -> String { column.unit.map { "\(column.name) (\($0))" } ?? column.name }
        return columns.firstIndex { $0.name == wanted || title($0) == wanted }
            ?? columns.firstIndex { Self.names(wanted, $0.name) || Self.names(wanted, title($0)) }
            ?? Int(wanted).flatMap { columns.indices.contains($0) ? $0 : nil }
    }

    /// By its number from 0, or from the end if negative, or by the text in its first column.
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

    /// Everything that a path may name, for completion: `it.entropy`, `it[`.
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

    /// Whether a word names this, `_` standing for whatever is no letter, digit, point or dash.
    private static func names(_ word: some StringProtocol, _ name: String) -> Bool {
        word == name || plain(String(word)) == plain(name)
    }

    /// `KL_nats` for `KL (nats)`.
    private static func plain(_ name: String) -> String {
        let words = name.split { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }
        return words.joined(separator: "_")
    }
}
