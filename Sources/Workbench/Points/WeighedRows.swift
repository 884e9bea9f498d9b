package import Geometry
package import LinearAlgebra
import TerminalText

/// The sets of rows that a study takes, weighed one after another. The study tells once which of them has the most
/// extreme rows, and how many others have such rows too.
package struct WeighedRows {
    private var outliers: [(name: String, weights: RowWeights)] = []
    private var carried: [(name: String, weights: RowWeights)] = []

    package init() {}

    /// Weighs a set of rows, [N, D].
    ///
    /// - Parameter name: what the rows are, such as `resid_post[3]`.
    package mutating func add(_ rows: Matrix, name: String) { add(RowWeights(rows), name) }

    /// Weighs a set of rows of the given width that follow one another, [N, width].
    package mutating func add(_ values: [Double], width: Int, name: String) {
        add(RowWeights(values, width: width), name)
    }

    private mutating func add(_ weights: RowWeights?, _ name: String) {
        guard let weights else { return }
        if weights.outliers > 0 { outliers.append((name, weights)) }
        if weights.isCarriedByOne { carried.append((name, weights)) }
    }

    /// Tells which sets have outlier rows, and which are carried by one row; nothing if none is.
    package func tell(in context: RunContext) {
        if let worst = outliers.max(by: { $0.weights.largestRatio < $1.weights.largestRatio }) {
            let rows = HeavyRows(
                kind: .outliers, name: worst.name, weights: worst.weights, otherSets: outliers.count - 1)
            context.tell(.premise(.heavyRows(rows)))
        }
        if let worst = carried.max(by: { $0.weights.largestShare < $1.weights.largestShare }) {
            let rows = HeavyRows(
                kind: .carrier, name: worst.name, weights: worst.weights, otherSets: carried.count - 1)
            context.tell(.premise(.heavyRows(rows)))
        }
    }
}

/// A set of which few rows make much of the numbers. Its description is a sentence for a report.
package struct HeavyRows: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Some rows are outliers: far longer than the others.
        case outliers
        /// One row carries the set: has a large share of all squared distances from the mean.
        case carrier
    }

    package let kind: Kind
    /// What the rows are, such as `resid_post[3]`.
    package let name: String
    package let weights: RowWeights
    /// The number of other sets of the same study that have such rows too.
    package let otherSets: Int

    package var description: String {
        let also =
            otherSets > 0
            ? ", and \(counted(otherSets, "other set")) \(agreeing(otherSets, "has", "have")) such rows" : ""
        let rows = "of \(weights.count) rows of \(name.escapedForTerminal)"
        switch kind {
        case .outliers:
            let factor = NumberFormat.significant(RowWeights.outlierRatio)
            return "\(weights.outliers) \(rows) \(agreeing(weights.outliers)) more than \(factor) times as"
                + " long as the median row, up to \(NumberFormat.significant(weights.largestRatio, digits: 3)) times\(also)."
        case .carrier:
            let share = NumberFormat.significant(100 * weights.largestShare, digits: 2)
            return "One \(rows) has \(share) % of all squared distances from their mean, and weighs as much in every"
                + " number about their variance\(also)."
        }
    }
}

extension RunContext {
    /// Weighs one set of rows that a study takes, [N, D], and tells if few of them make its numbers.
    ///
    /// - Parameter name: what the rows are, such as `resid_post[3]`.
    package func weigh(_ rows: Matrix, name: String) {
        var weighed = WeighedRows()
        weighed.add(rows, name: name)
        weighed.tell(in: self)
    }
}
