/// A dense row-major matrix of 32-bit floats, [rows, columns].
package struct Matrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// Row after row, `rows * columns` elements.
    package var values: [Float]

    package init(rows: Int, columns: Int, values: [Float]) {
        precondition(values.count == rows * columns, "\(values.count) values for a \(rows) x \(columns) matrix")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    package init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, values: [Float](repeating: 0, count: rows * columns))
    }

    package subscript(row: Int, column: Int) -> Float {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    package func row(_ index: Int) -> ArraySlice<Float> {
        values[index * columns..<(index + 1) * columns]
    }

    /// The place of the first element that is NaN or infinite, row by row.
    package var firstNonFinite: (row: Int, column: Int)? {
        values.firstIndex { !$0.isFinite }.map { ($0 / columns, $0 % columns) }
    }

    /// The mean of each column, added up in float64. [columns]
    package var columnMeans: [Double] {
        var sums = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows {
                for column in 0..<columns { sums[column] += Double(values[row * columns + column]) }
            }
        }
        return sums.map { $0 / Double(max(1, rows)) }
    }

    /// How many elements are NaN or infinite.
    package var nonFiniteCount: Int { values.reduce(0) { $1.isFinite ? $0 : $0 + 1 } }
}
