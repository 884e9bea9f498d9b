internal import TerminalText

/// RFC 4180 quoting with lines that end in `\n`; full precision; units are left out of the header.
///
/// The report's tables, or if it has none its scalars, or its series and grids, or its text as one column; several
/// tables are parted by an empty line. Everything at once is what json is for; notes are left to standard error. Missing is
/// an empty field and empty text is `""`; numbers that are not finite are `NaN`, `Inf` and `-Inf`.
package struct CSVRenderer: Renderer {
    private let options: RenderOptions

    package init(_ options: RenderOptions = RenderOptions()) {
        self.options = options
    }

    package func render(_ report: Report) -> String {
        var tables = report.tables
        if tables.isEmpty && !report.scalars.isEmpty { tables = [report.scalars.table] }
        if tables.isEmpty { tables = report.pictureTables }
        if tables.isEmpty, let text = report.text { tables = [Table("text", columns: ["text"], rows: [[.text(text)]])] }
        return tables.map { table in
            let flat = FlatTable(table)
            let lines = [flat.names.map(field)] + flat.rows.map { $0.map(field) }
            return lines.map { $0.joined(separator: ",") + "\n" }.joined()
        }.joined(separator: "\n")
    }

    private func field(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): text.isEmpty ? "\"\"" : field(text)
        case .integer(let integer): String(integer)
        case .number(let number), .interval(let number, _, _):
            number.isFinite ? number.description : NumberFormat.significant(number)
        case .missing: ""
        }
    }

    private func field(_ text: String) -> String {
        let text = options.escapesControls ? text.escapedForTerminal(keepingLineBreaks: true) : text
        let formulas: [Unicode.Scalar] = ["=", "+", "-", "@", "\t", "\r"]
        let isFormula = options.guardsFormulas && text.unicodeScalars.first.map(formulas.contains) ?? false
        return quoted(isFormula ? "'" + text : text)
    }

    private func quoted(_ text: String) -> String {
        let special: [Unicode.Scalar] = ["\"", ",", "\n", "\r"]
        let outer = [text.unicodeScalars.first, text.unicodeScalars.last]
        guard text.unicodeScalars.contains(where: special.contains) || outer.contains(" ") else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted.unicodeScalars.append("\"") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
