/// The area under the receiver operating characteristic (ROC): how often a score ranks a positive case above a
/// negative.
package struct AreaUnderCurve: Sendable, Equatable {
    /// The area, 0 to 1: the share of pairs of a positive and a negative case in which the positive scores higher; ties
    /// count a half.
    package let value: Double
    /// The number of positive cases that were scored.
    package let positives: Int
    /// The number of negative cases that were scored.
    package let negatives: Int

    /// - Returns: nil if there are no positive or no negative scores, or one of them is NaN.
    package init?(positives: [Double], negatives: [Double]) {
        guard let wins = Self.wins(positives, negatives) else { return nil }
        self.init(
            value: wins / (Double(positives.count) * Double(negatives.count)), positives: positives.count,
            negatives: negatives.count)
    }

    package init(value: Double, positives: Int, negatives: Int) {
        self.value = value
        self.positives = positives
        self.negatives = negatives
    }

    /// Returns the number of pairs of a positive and a negative score in which the positive is higher, with ties
    /// counting a half: Mann and Whitney's U. Nil if a class is empty or a score is NaN.
    package static func wins(_ positives: [Double], _ negatives: [Double]) -> Double? {
        guard !positives.isEmpty, !negatives.isEmpty, !positives.contains(where: \.isNaN),
            !negatives.contains(where: \.isNaN)
        else { return nil }
        let (high, low) = (positives.sorted(), negatives.sorted())
        var (below, notAbove) = (0, 0)
        var total = 0.0
        for score in high {
            while below < low.count, low[below] < score { below += 1 }
            notAbove = max(notAbove, below)
            while notAbove < low.count, low[notAbove] <= score { notAbove += 1 }
            total += Double(below) + Double(notAbove - below) / 2
        }
        return total
    }

    /// The area's 95 % interval: all areas θ with |value - θ| <= z95 √V(θ), where V is Hanley and McNeil's variance V =
    /// θ(1 - θ)(1 + (N - 1)((1 - θ)/(2 - θ) + θ/(1 + θ))) / mn for m positives, n negatives and N = (m + n)/2.
    /// (Newcombe 2006, Stat. Med. 25, method 5.) Like Wilson's interval it has a width at 0 and 1.
    package var interval: ClosedRange<Double> {
        func isWithin(_ theta: Double) -> Bool {
            let (m, n) = (Double(positives), Double(negatives))
            let spread = 1 + ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
            let variance = theta * (1 - theta) * spread / (m * n)
            return abs(value - theta) <= Proportion.z95 * max(0, variance).squareRoot()
        }
        func end(towards limit: Double) -> Double {
            if isWithin(limit) { return limit }
            var (inside, outside) = (value, limit)
            for _ in 0..<60 {
                let middle = (inside + outside) / 2
                if isWithin(middle) { inside = middle } else { outside = middle }
            }
            return inside
        }
        return end(towards: 0)...end(towards: 1)
    }
}
