/// A table for machines. Its column names are unique, each cell is one plain value, and an interval is spread over
/// three columns.
struct FlatTable {
    /// The rows, whose cells are texts, integers, numbers or missing, but never intervals.
    var rows: [[Cell]]
    /// The names of the columns. A column with intervals is followed by `name_low` and `name_high`. A name that is
    /// already taken gets the suffix `_2`, `_3`, ….
    var names: [String]

    init(_ table: Table, reserved: Set<String> = []) {
        var taken = reserved
        func unique(_ name: String) -> String {
            var candidate = name
            var number = 2
            while !taken.insert(candidate).inserted {
                candidate = "\(name)_\(number)"
                number += 1
            }
            return candidate
        }
        let spread = table.columns.indices.map { column in
            table.rows.indices.contains { table.cell(row: $0, column: column).isInterval }
        }
        names = []
        for (column, hasInterval) in zip(table.columns, spread) {
            let name = unique(column.name)
            names.append(name)
            if hasInterval { names += [unique("\(name)_low"), unique("\(name)_high")] }
        }
        rows = table.rows.indices.map { row in
            spread.indices.flatMap { column -> [Cell] in
                let cell = table.cell(row: row, column: column)
                if case .interval(let value, let low, let high) = cell {
                    return [.number(value), .number(low), .number(high)]
                }
                return spread[column] ? [cell, .missing, .missing] : [cell]
            }
        }
    }
}

extension [Scalar] {
    /// The scalars as a table for machines.
    var table: Table {
        Table(
            "scalars", columns: ["name", "value", "unit", "note"],
            rows: map { [.text($0.name), $0.value, Cell(text: $0.unit), Cell(text: $0.note)] })
    }
}

extension Cell {
    fileprivate init(text: String?) {
        self = text.map(Cell.text) ?? .missing
    }
}
