internal import JSON
import Provenance

/// One JSON object with everything the report holds: title, scalars, tables, series, grids, text, notes, recipe.
///
/// Numbers have the fewest digits that read back to the same bits. Rows are objects; an interval is `name`,
/// `name_low` and `name_high`. A number that is not finite is `null`, and the member `nonfinite`, there only if
/// needed, maps its JSON pointer to `"NaN"`, `"Infinity"` or `"-Infinity"`.
package struct JSONRenderer: Renderer {
    package init() {}

    package func render(_ report: Report) -> String {
        var members: [(key: String, value: JSONValue)] = [("title", .string(report.title))]
        members.append(("scalars", .array(report.scalars.map { .members($0.members) })))
        members.append(("tables", .array(report.tablesBesideScalars.map(Self.table))))
        members.append(("series", .array(report.series.map(Self.series))))
        members.append(("grids", .array(report.grids.map(Self.grid))))
        members.append(("text", JSONValue(report.text)))
        members.append(("notes", .array(report.notes.map(JSONValue.string))))
        members.append(("recipe", report.recipe?.json ?? .null))
        let nonfinite = JSONValue.members(members).nonfinite()
        if !nonfinite.isEmpty { members.append(("nonfinite", .members(nonfinite))) }
        return JSONValue.members(members).text(indented: true) + "\n"
    }

    private static func table(_ table: Table) -> JSONValue {
        let flat = FlatTable(table)
        return .members([
            ("name", .string(table.name)),
            (
                "columns",
                .array(table.columns.map { .members([("name", .string($0.name)), ("unit", JSONValue($0.unit))]) })
            ),
            ("rows", .array(flat.rows.map { row in .members(zip(flat.names, row).map { ($0, JSONValue($1)) }) })),
        ])
    }

    private static func series(_ series: Series) -> JSONValue {
        .members(
            [("name", .string(series.name))]
                + (series.style == .line ? [] : [("style", .string(series.style.rawValue))])
                + [
                    ("x", series.x.json), ("y", series.y.json),
                    ("points", .array(series.points.map { .members($0.members) })),
                ])
    }

    private static func grid(_ grid: Grid) -> JSONValue {
        .members([("name", .string(grid.name))] + grid.description + [("values", .array(grid.lines.map(\.values)))])
    }
}

extension Scalar {
    var members: [(key: String, value: JSONValue)] {
        var members: [(key: String, value: JSONValue)] = [("name", .string(name)), ("value", JSONValue(value))]
        if case .interval(_, let low, let high) = value { members += [("low", .double(low)), ("high", .double(high))] }
        if let null { members.append(("null", .double(null))) }
        if let unit { members.append(("unit", .string(unit))) }
        if let note { members.append(("note", .string(note))) }
        return members
    }
}

extension Series.Point {
    var members: [(key: String, value: JSONValue)] {
        var members: [(key: String, value: JSONValue)] = [("x", .double(x)), ("y", .double(y))]
        if let low { members.append(("low", .double(low))) }
        if let high { members.append(("high", .double(high))) }
        return members
    }
}

extension Series.Axis {
    fileprivate var json: JSONValue {
        .members(
            [("label", .string(label)), ("unit", JSONValue(unit))]
                + (isLogarithmic ? [("scale", .string("logarithmic"))] : []))
    }
}

extension Grid {
    /// Everything but the name and the values.
    var description: [(key: String, value: JSONValue)] {
        func side(_ side: Side) -> JSONValue {
            .members([("label", .string(side.label)), ("labels", .array(side.labels.map(JSONValue.string)))])
        }
        let range = value.range.map { JSONValue.array([.double($0.lowerBound), .double($0.upperBound)]) } ?? .null
        return [("rows", side(rows)), ("columns", side(columns)), ("value", value.json), ("range", range)]
    }

    /// Each row's label and values; where there can be no value, null.
    var lines: [(label: String, values: JSONValue)] {
        rows.labels.indices.map { row in
            let values = columns.labels.indices.map { self[row, $0].map(JSONValue.double) ?? .null }
            return (rows.labels[row], .array(values))
        }
    }
}

extension Recipe {
    var json: JSONValue {
        .members(
            [
                ("command_line", .string(commandLine)),
                (
                    "inputs",
                    .array(inputs.map { .members([("name", .string($0.name)), ("sha256", .string($0.sha256))]) })
                ),
                ("seed", seed.map(JSONValue.unsigned) ?? .null), ("precision", .string(precision ?? "f32")),
                ("version", .string(version)),
            ] + (edits.isEmpty ? [] : [("edits", .array(edits.map(JSONValue.string)))]))
    }
}
