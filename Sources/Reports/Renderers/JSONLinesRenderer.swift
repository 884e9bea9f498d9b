internal import JSON

/// One JSON object a line: `{"table": NAME, …}` for each row, then `{"scalar": …}`, `{"series": …}` for each point,
/// `{"grid": NAME, "rows": …, "columns": …}` and then `{"grid": NAME, "row": LABEL, "values": […]}` for each row,
/// `{"text": …}`, `{"note": …}` and `{"recipe": …}`.
///
/// Numbers as in json; a line with a number that is not finite has a member `nonfinite` of its own.
package struct JSONLinesRenderer: Renderer {
    package init() {}

    package func render(_ report: Report) -> String {
        var lines: [[(key: String, value: JSONValue)]] = []
        for table in report.tablesBesideScalars {
            let flat = FlatTable(table, reserved: ["table", "nonfinite"])
            lines += flat.rows.map { row in
                [("table", .string(table.name))] + zip(flat.names, row).map { ($0, JSONValue($1)) }
            }
        }
        lines += report.scalars.map { scalar in
            [("scalar", .string(scalar.name))] + scalar.members.dropFirst()
        }
        for series in report.series {
            lines += series.points.map { [("series", .string(series.name))] + $0.members }
        }
        for grid in report.grids {
            lines.append([("grid", .string(grid.name))] + grid.description)
            lines += grid.lines.map { label, values in
                [("grid", .string(grid.name)), ("row", .string(label)), ("values", values)]
            }
        }
        if let text = report.text { lines.append([("text", .string(text))]) }
        lines += report.notes.map { [("note", .string($0))] }
        if let recipe = report.recipe { lines.append([("recipe", recipe.json)]) }
        return lines.map { line in
            let nonfinite = JSONValue.members(line).nonfinite()
            let members = nonfinite.isEmpty ? line : line + [("nonfinite", .members(nonfinite))]
            return JSONValue.members(members).text(indented: false) + "\n"
        }.joined()
    }
}
