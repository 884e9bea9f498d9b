/// The k nearest neighbours of each point of a set by Euclidean distance, the point itself excluded, nearest first.
package struct NearestNeighbours: Sendable {
    /// Points.
    package let count: Int
    /// Neighbours of each.
    package let k: Int
    /// [count, k]: rows of the point set.
    package let indices: [Int32]
    /// [count, k], ascending in each row.
    package let distances: [Double]

    package init(count: Int, k: Int, indices: [Int32], distances: [Double]) {
        precondition(indices.count == count * k && distances.count == count * k, "\(count) points with \(k) neighbours")
        self.count = count
        self.k = k
        self.indices = indices
        self.distances = distances
    }

    /// Distance from a point to its `rank`-th nearest neighbour, counted from 1.
    package func distance(_ point: Int, rank: Int) -> Double { distances[point * k + rank - 1] }
}
