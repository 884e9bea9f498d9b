/// A matrix with labels on both sides, which a heat map shows.
package struct Grid: Sendable, Equatable {
    /// One side of the matrix.
    package struct Side: Sendable, Equatable {
        /// The kind of thing along this side, such as `query` or `layer`.
        package var label: String
        /// One label for each row or column. Labels that are not numbers begin with their index, so that a picture may
        /// show only the index.
        package var labels: [String]

        package init(_ label: String, labels: [String]) {
            self.label = label
            self.labels = labels
        }

        /// Makes a side whose labels are the numbers from 0.
        package init(_ label: String, count: Int) {
            self.init(label, labels: (0..<count).map(String.init))
        }
    }

    package var name: String
    package var rows: Side
    package var columns: Side
    /// The quantity that the values measure. Its range is that of the colour scale.
    package var value: Series.Axis
    /// The values, [rows, columns]. A value is nil where there can be none.
    package var values: [Double?]

    package init(
        _ name: String, rows: Side, columns: Side, value: Series.Axis, values: [Double?]
    ) {
        precondition(values.count == rows.labels.count * columns.labels.count, "values fill the grid")
        self.name = name
        self.rows = rows
        self.columns = columns
        self.value = value
        self.values = values
    }

    package subscript(row: Int, column: Int) -> Double? { values[row * columns.labels.count + column] }

    var isEmpty: Bool { values.isEmpty }

    /// The ends of the colour scale, which always differ.
    var scale: (low: Double, high: Double) {
        var low = value.range?.lowerBound ?? .infinity
        var high = value.range?.upperBound ?? -.infinity
        if value.range == nil {
            for case let value? in values where value.isFinite {
                low = min(low, value)
                high = max(high, value)
            }
        }
        guard low.isFinite, high.isFinite else { return (0, 1) }
        return low < high ? (low, high) : (low, low + max(1, low.magnitude))
    }

    /// The matrix as a table: a column of row labels, and then the columns of the matrix.
    package var table: Table {
        let count = columns.labels.count
        return Table(
            name, columns: [.init(rows.label)] + columns.labels.map { .init($0, alignment: .right) },
            rows: rows.labels.indices.map { row in
                [.text(rows.labels[row])] + (0..<count).map { Cell(self[row, $0]) }
            })
    }

    /// Returns the size of the blocks into which `count` items are divided, so that there are at most `limit` blocks.
    static func block(_ count: Int, limit: Int) -> Int { count < 1 ? 1 : (count - 1) / max(1, limit) + 1 }

    /// Returns the grid with at most the given numbers of rows and columns. Each of its cells is the largest value of
    /// the block for which it stands.
    ///
    /// - Returns: The grid, and the numbers of rows and columns of a block, which are 1 and 1 if nothing had to be
    ///   joined.
    func pooled(rows rowLimit: Int, columns columnLimit: Int) -> (grid: Grid, height: Int, width: Int) {
        let height = Self.block(rows.labels.count, limit: rowLimit)
        let width = Self.block(columns.labels.count, limit: columnLimit)
        guard height > 1 || width > 1 else { return (self, 1, 1) }
        let down = Self.block(rows.labels.count, limit: height)
        let across = Self.block(columns.labels.count, limit: width)
        var pooled = [Double?](repeating: nil, count: down * across)
        for row in rows.labels.indices {
            for column in columns.labels.indices {
                guard let value = self[row, column] else { continue }
                let place = row / height * across + column / width
                // A NaN remains a NaN, whatever it is joined with.
                pooled[place] = pooled[place].map { $0.isNaN || value.isNaN ? .nan : max($0, value) } ?? value
            }
        }
        func side(_ side: Side, _ block: Int) -> Side {
            let firsts = stride(from: 0, to: side.labels.count, by: block)
            return Side(side.label, labels: firsts.map { side.labels[$0] })
        }
        var value = value
        value.range = value.range ?? scale.low...scale.high
        let grid = Grid(
            name, rows: side(rows, height), columns: side(columns, width), value: value, values: pooled)
        return (grid, height, width)
    }
}
