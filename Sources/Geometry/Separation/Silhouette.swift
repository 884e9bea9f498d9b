/// The mean silhouette (b - a) / max(a, b) of rows: a is the mean distance to the other rows of a row's class, b that to
/// the rows of the nearest other class. From -1 to 1; rows alone in their class count 0. (Rousseeuw 1987.)
package struct Silhouette: Sendable, Equatable {
    package let value: Double

    /// - Returns: nil with fewer than two classes that have rows.
    package init?(_ sums: LabelledDistances.Sums) {
        let classes = sums.sizes.count
        guard sums.sizes.count(where: { $0 > 0 }) > 1 else { return nil }
        var total = 0.0
        for row in sums.labels.indices {
            let own = sums.labels[row]
            guard sums.sizes[own] > 1 else { continue }
            let a = sums.distances[row * classes + own] / Double(sums.sizes[own] - 1)
            var b = Double.infinity
            for label in 0..<classes where label != own && sums.sizes[label] > 0 {
                b = min(b, sums.distances[row * classes + label] / Double(sums.sizes[label]))
            }
            // Exactly 0 where all rows are one point.
            if a != b { total += (b - a) / max(a, b) }
        }
        value = total / Double(sums.labels.count)
    }
}
