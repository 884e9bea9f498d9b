/// How much farther apart rows of different classes are than rows of one class: mean distance of pairs of different
/// classes over mean distance of pairs of one class.
package struct DistanceRatio: Sendable, Equatable {
    /// Mean distance of two rows of different classes.
    package let between: Double
    /// Mean distance of two different rows of one class.
    package let within: Double

    /// between / within - 1: 0 where classes make no difference. Exactly 0 where all rows are one point, infinite where
    /// each class is a point of its own.
    package var separation: Double { between == within ? 0 : between / within - 1 }

    /// - Returns: nil with one class, or without two rows of one class.
    package init?(_ sums: LabelledDistances.Sums) {
        let classes = sums.sizes.count
        var (between, within) = (0.0, 0.0)
        for row in sums.labels.indices {
            for label in 0..<classes {
                if label == sums.labels[row] {
                    within += sums.distances[row * classes + label]
                } else {
                    between += sums.distances[row * classes + label]
                }
            }
        }
        let n = sums.labels.count
        let same = sums.sizes.reduce(0) { $0 + $1 * ($1 - 1) }
        let different = n * n - sums.sizes.reduce(0) { $0 + $1 * $1 }
        guard same > 0, different > 0 else { return nil }
        self.between = between / Double(different)
        self.within = within / Double(same)
    }
}
