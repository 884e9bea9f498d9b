/// A table for machines: unique column names, one plain value a cell, an interval spread over three columns.
struct FlatTable {
    /// Text, integer, number or missing; never an interval.
    var rows: [[Cell]]
    /// `name`, and for a column with intervals `name_low` and `name_high` after it. A name already taken gets `_2`,
    /// `_3`, ….
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
