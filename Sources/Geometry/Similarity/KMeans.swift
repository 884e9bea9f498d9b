package import Control
import LinearAlgebra
package import Statistics

/// Clusters of points by the nearest of k means: Lloyd's algorithm (1982) from seeds of k-means++ (Arthur and
/// Vassilvitskii 2007, SODA).
package struct KMeans: Sendable {
    /// Of each point, 0..<k.
    package let labels: [Int]
    /// [k, width], about the mean of the points.
    package let means: [[Double]]
    /// Sum of squared distances to the means.
    package let inertia: Double

    /// - Parameters:
    ///   - points: at least k.
    ///   - k: at least 1.
    /// - Throws: `GeometryError.tooFewPoints`; `CancellationError`.
    package init(_ points: CentredRows, k: Int, random: inout SeededRandom, control: RunControl) throws {
        guard points.count >= k, k >= 1 else {
            throw GeometryError.tooFewPoints(found: points.count, needed: max(1, k))
        }
        let (n, d) = (points.count, points.width)
        func distance(_ row: Int, _ mean: [Double]) -> Double {
            var sum = 0.0
            for column in 0..<d {
                let difference = points.values[row * d + column] - mean[column]
                sum += difference * difference
            }
            return sum
        }
        func row(_ index: Int) -> [Double] { Array(points.values[index * d..<(index + 1) * d]) }
        var means = [row(Int.random(in: 0..<n, using: &random))]
        var nearest = (0..<n).map { distance($0, means[0]) }
        while means.count < k {
            try control.checkCancellation()
            let total = nearest.reduce(0, +)
            var place = random.uniform() * total
            var chosen = n - 1
            for index in 0..<n {
                place -= nearest[index]
                if place < 0 {
                    chosen = index
                    break
                }
            }
            means.append(row(chosen))
            for index in 0..<n { nearest[index] = min(nearest[index], distance(index, means[means.count - 1])) }
        }
        var labels = [Int](repeating: -1, count: n)
        for _ in 0..<Self.rounds {
            try control.checkCancellation()
            var isDone = true
            for index in 0..<n {
                var (best, least) = (0, Double.infinity)
                for (cluster, mean) in means.enumerated() {
                    let distance = distance(index, mean)
                    if distance < least { (best, least) = (cluster, distance) }
                }
                nearest[index] = least
                if labels[index] != best {
                    labels[index] = best
                    isDone = false
                }
            }
            if isDone { break }
            var sums = [[Double]](repeating: [Double](repeating: 0, count: d), count: k)
            var counts = [Int](repeating: 0, count: k)
            for index in 0..<n {
                counts[labels[index]] += 1
                for column in 0..<d { sums[labels[index]][column] += points.values[index * d + column] }
            }
            for cluster in 0..<k {
                if counts[cluster] > 0 {
                    means[cluster] = sums[cluster].map { $0 / Double(counts[cluster]) }
                } else if let far = nearest.indices.max(by: { nearest[$0] < nearest[$1] }) {
                    // Nobody is nearest to it: it starts again at the point that is farthest from its own mean.
                    means[cluster] = row(far)
                    nearest[far] = 0
                }
            }
        }
        self.labels = labels
        self.means = means
        inertia = nearest.reduce(0, +)
    }

    /// Rounds after which a clustering is good enough whatever still moves.
    private static let rounds = 50
}
