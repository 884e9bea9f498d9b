/// A mean over all members of clusters, such as the tokens of prompts, with an interval over the clusters.
///
/// Members of one cluster are not independent, so the standard error is that of a ratio estimator: the sum over
/// clusters divided by their number of members (Cochran 1977, Sampling Techniques, 6.4).
package struct ClusteredMean: Sendable, Equatable {
    package let mean: Double
    /// Half the width of the mean's 95 % interval (normal, over clusters); nil for fewer than two clusters.
    package let halfWidth: Double?
    /// The number of members (values) of all clusters together.
    package let count: Int
    /// The number of clusters (such as prompts) that have members.
    package let clusters: Int

    /// - Parameter values: for each cluster its members' values. Clusters without members are ignored.
    /// - Returns: nil if no cluster has a member.
    package init?(_ values: [[Double]]) {
        let sums = values.lazy.filter { !$0.isEmpty }.map { (total: $0.reduce(0, +), count: $0.count) }
        let clusters = Array(sums)
        guard !clusters.isEmpty else { return nil }
        let count = clusters.reduce(0) { $0 + $1.count }
        let mean = clusters.reduce(0) { $0 + $1.total } / Double(count)
        self.mean = mean
        self.count = count
        self.clusters = clusters.count
        let n = Double(clusters.count)
        guard n > 1 else {
            halfWidth = nil
            return
        }
        let squares = clusters.reduce(0.0) { sum, cluster in
            let residual = cluster.total - mean * Double(cluster.count)
            return sum + residual * residual
        }
        halfWidth = Proportion.z95 * (squares / (n - 1) / n).squareRoot() / (Double(count) / n)
    }

    package var low: Double? { halfWidth.map { mean - $0 } }
    package var high: Double? { halfWidth.map { mean + $0 } }
}
