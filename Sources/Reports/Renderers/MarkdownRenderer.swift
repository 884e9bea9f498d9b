import Provenance
internal import TerminalText

/// GitHub-flavoured Markdown: a heading, a list of scalars, pipe tables, fenced text, notes, the recipe.
/// Numbers as in tables. Series and grids are shown, as tables of full precision, only if the report has no table.
package struct MarkdownRenderer: Renderer {
    package init() {}

    package func render(_ report: Report) -> String {
        var blocks: [String] = []
        if !report.title.isEmpty { blocks.append("## \(escaped(report.title))\n") }
        if !report.scalars.isEmpty { blocks.append(report.scalars.map(item).joined()) }
        let tables =
            report.tables.isEmpty ? report.pictureTables.map(\.atFullPrecision) : report.tablesBesideScalars
        for table in tables {
            if tables.count > 1 && !table.name.isEmpty { blocks.append("### \(escaped(table.name))\n") }
            blocks.append(render(table))
        }
        if let text = report.text, !text.isEmpty { blocks.append(fenced(text)) }
        if !report.notes.isEmpty { blocks.append(report.notes.map { "- \(escaped($0))\n" }.joined()) }
        if let recipe = report.recipe { blocks.append(render(recipe)) }
        return blocks.joined(separator: "\n")
    }

    private func item(_ scalar: Scalar) -> String {
        let unit = scalar.unit.map { " " + escaped($0) } ?? ""
        let note = scalar.note.map { " (\(escaped($0)))" } ?? ""
        return "- \(escaped(scalar.name)): \(markdown(scalar.value.formatted()))\(unit)\(note)\n"
    }

    private func render(_ table: Table) -> String {
        func line(_ fields: [String]) -> String { "| " + fields.joined(separator: " | ") + " |\n" }
        let rule = table.columns.indices.map { table.alignment(ofColumn: $0) == .right ? "---:" : "---" }
        let rows = table.rows.indices.map { row in
            line(table.columns.indices.map { markdown(table.formattedCell(row: row, column: $0)) })
        }
        return line(table.columns.map { escaped($0.header) }) + line(rule) + rows.joined()
    }

    private func render(_ recipe: Recipe) -> String {
        let inputs = recipe.inputs.map { "\($0.name) sha256:\($0.sha256)\n" }.joined()
        let seed = recipe.seed.map { "seed \($0)\n" } ?? ""
        let edits = recipe.edits.map { "with \($0)\n" }.joined()
        return fenced("\(recipe.commandLine)\n\(edits)\(inputs)\(seed)nacre \(recipe.version)\n")
    }

    private func fenced(_ text: String) -> String {
        let shown = text.escapedForTerminal(keepingLineBreaks: true)
        var longest = 0
        var run = 0
        for byte in shown.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        let end = shown.utf8.last == UInt8(ascii: "\n") ? "" : "\n"
        return "\(fence)text\n\(shown)\(end)\(fence)\n"
    }

    private func escaped(_ text: String) -> String { markdown(text.escapedForTerminal) }

    /// Escapes what Markdown would act on. An underscore inside a word, as in `resid_post`, is plain to it, and a
    /// bracket only matters before another or a parenthesis.
    private func markdown(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        func isWord(_ index: Int) -> Bool {
            scalars.indices.contains(index)
                && (scalars[index].properties.isAlphabetic || scalars[index].properties.numericType != nil)
        }
        var escaped = ""
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            let isSpecial =
                switch scalar {
                case "\\", "|", "`", "*", "<", "~", "&": true
                case "_": !(isWord(index - 1) && isWord(index + 1))
                case "]": next == "(" || next == "[" || next == ":"
                default: false
                }
            if isSpecial { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped
    }
}
