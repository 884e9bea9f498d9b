package import LinearAlgebra
import Workbench

/// Rows of activations of two classes at one site (a named place in the model), in float64, with the positives first.
package struct LabelledRows: Sendable {
    /// The rows of both classes, the positives first, [count, width].
    package let values: [Double]
    package let width: Int
    package let positives: Int
    package let negatives: Int
    /// The number of the group that each row belongs to, such as its prompt, [count]. The rows of a group are held out
    /// together, so that none is judged by a rule that was made from another. nil makes each row a group of its own.
    package var groups: [Int]?

    package var count: Int { positives + negatives }

    /// - Parameters:
    ///   - positives: the rows of the positive class, [n, width], n at least 2.
    ///   - negatives: the rows of the negative class, [m, width], m at least 2.
    /// - Throws: `DirectionsError` for a class that is too small and for classes of the same rows; `SubspaceError` for
    ///   widths that differ and for NaN.
    package init(positives: Matrix, negatives: Matrix) throws {
        for (name, rows) in [("positive", positives), ("negative", negatives)] {
            guard rows.rows > 0 else { throw DirectionsError.emptyClass(name) }
            if let bad = rows.firstNonFinite { throw SubspaceError.notFiniteRow(name, row: bad.row) }
        }
        guard positives.columns == negatives.columns else {
            throw SubspaceError.differentWidths(positives.columns, negatives.columns)
        }
        // This also holds if all rows are the same, as at a position that has the same token in all prompts.
        let first = positives.row(0)
        let isConstant = [positives, negatives].allSatisfy { rows in
            (0..<rows.rows).allSatisfy { rows.row($0).elementsEqual(first) }
        }
        guard positives != negatives, !isConstant else { throw DirectionsError.identicalClasses }
        for (name, rows) in [("positive", positives), ("negative", negatives)] where rows.rows < 2 {
            throw DirectionsError.tooFewRows(name, found: rows.rows, needed: 2)
        }
        self.init(
            values: positives.values.map(Double.init) + negatives.values.map(Double.init), width: positives.columns,
            positives: positives.rows, negatives: negatives.rows)
    }

    init(values: [Double], width: Int, positives: Int, negatives: Int) {
        precondition(values.count == (positives + negatives) * width, "\(values.count) values of width \(width)")
        self.values = values
        self.width = width
        self.positives = positives
        self.negatives = negatives
    }

    func isPositive(_ row: Int) -> Bool { row < positives }

    /// Returns the labelled rows with these numbers; those below `positives` (the number of positive rows) come first
    /// and stay positive.
    func subset(_ rows: [Int]) -> LabelledRows {
        var values: [Double] = []
        values.reserveCapacity(rows.count * width)
        let ordered = rows.filter(isPositive) + rows.filter { !isPositive($0) }
        for row in ordered { values += self.values[row * width..<(row + 1) * width] }
        return LabelledRows(
            values: values, width: width, positives: rows.count(where: isPositive),
            negatives: rows.count { !isPositive($0) })
    }

    /// Returns the mean of a range of the labelled rows, [width].
    func mean(_ rows: Range<Int>) -> [Double] {
        var sums = [Double](repeating: 0, count: width)
        for row in rows { Arithmetic.add(values, row * width, times: 1, to: &sums) }
        return sums.map { $0 / Double(max(1, rows.count)) }
    }

    /// Returns the inner product of each labelled row with a vector, [count].
    package func projections(on vector: [Double]) -> [Double] {
        (0..<count).map { Arithmetic.dot(values, $0 * width, vector) }
    }
}
