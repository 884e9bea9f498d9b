/// Spearman's rank correlation.
package enum RankCorrelation {
    /// Returns the rank of each value, from 1; equal values share the mean of their ranks.
    package static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            let rank = Double(start + end + 1) / 2
            for place in start..<end { ranks[order[place]] = rank }
            start = end
        }
        return ranks
    }

    /// Returns Pearson's correlation of two lists of ranks, -1 to 1; nil if all ranks of one side are the same.
    package static func correlation(ofRanks a: [Double], _ b: [Double]) -> Double? {
        precondition(a.count == b.count, "\(a.count) and \(b.count) ranks")
        // The mean of ranks is the same whatever ties there are.
        let mean = Double(a.count + 1) / 2
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for index in a.indices {
            let (x, y) = (a[index] - mean, b[index] - mean)
            ab += x * y
            aa += x * x
            bb += y * y
        }
        guard aa > 0, bb > 0 else { return nil }
        return min(1, max(-1, ab / (aa * bb).squareRoot()))
    }
}
