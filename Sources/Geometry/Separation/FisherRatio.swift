/// tr(Sb) / tr(Sw): scatter of the classes' means about the mean of all, over scatter of the rows about their class's mean.
/// (Fisher 1936; Fukunaga 1990, 10.2.)
package struct FisherRatio: Sendable, Equatable {
    /// tr(Sb) = Σ n_c |mean_c - mean|².
    package let between: Double
    /// tr(Sw) = Σ |x - mean of its class|².
    package let within: Double

    /// Exactly 0 where all rows are one point; infinite where each class is a point of its own.
    package var value: Double { between == 0 ? 0 : between / within }

    /// From distances alone: Σ |x - mean|² = Σ over pairs d² / n.
    package init(_ sums: LabelledDistances.Sums) {
        let classes = sums.sizes.count
        var (total, within) = (0.0, 0.0)
        for row in sums.labels.indices {
            for label in 0..<classes {
                let square = sums.squares[row * classes + label]
                total += square
                if label == sums.labels[row] { within += square / Double(sums.sizes[label]) }
            }
        }
        self.within = within / 2
        between = max(0, total / Double(2 * max(1, sums.labels.count)) - within / 2)
    }
}
