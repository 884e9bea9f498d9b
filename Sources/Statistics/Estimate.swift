/// An estimated value with the ends of its interval, if it has one. The report in which it appears says which interval
/// that is.
package struct Estimate: Hashable, Sendable {
    package let value: Double
    /// The lower end of the value's interval; nil if it has none. Either both ends are present or neither is.
    package let low: Double?
    /// The upper end of the value's interval; nil if it has none.
    package let high: Double?

    package init(_ value: Double) {
        (self.value, low, high) = (value, nil, nil)
    }

    package init(_ value: Double, low: Double, high: Double) {
        (self.value, self.low, self.high) = (value, low, high)
    }

    package init(_ value: Double, _ interval: ClosedRange<Double>) {
        self.init(value, low: interval.lowerBound, high: interval.upperBound)
    }

    /// Makes an estimate of a mean over clusters with its 95 % interval. The mean of a single cluster has no interval.
    ///
    /// - Parameters:
    ///   - mean: The mean.
    ///   - range: The values that are possible, at whose ends the interval is cut.
    package init(_ mean: ClusteredMean, within range: ClosedRange<Double> = -.infinity ... .infinity) {
        guard let low = mean.low, let high = mean.high else {
            self.init(mean.mean)
            return
        }
        self.init(mean.mean, low: max(range.lowerBound, low), high: min(range.upperBound, high))
    }

    /// Makes an estimate of the median of some values, with the smallest and the largest of them as the interval. It
    /// returns nil if there are no values.
    package init?(medianOf values: [Double]) {
        guard let quantiles = Quantiles(values) else { return nil }
        self.init(quantiles[0.5], low: quantiles[0], high: quantiles[1])
    }

    /// Makes an estimate of the median of some values with the 95 % interval of the sign test, whose ends are order
    /// statistics between which the true median lies. There is no interval if the values are too few for it, and the
    /// result is nil if there are none.
    package init?(signTestMedianOf values: [Double]) {
        guard let quantiles = Quantiles(values) else { return nil }
        let n = values.count
        // The largest number of values that can be left out on either side, so that P(Bin(n, 1/2) < left) <= 2.5 %.
        // Beyond 500 values it is that of the normal approximation.
        var left = 0
        if n <= 500 {
            var (tail, term) = (0.0, 1.0)
            for _ in 0..<n { term /= 2 }
            while left < n / 2, tail + term <= 0.025 {
                tail += term
                left += 1
                term *= Double(n - left + 1) / Double(left)
            }
        } else {
            left = Int((Double(n) - Proportion.z95 * Double(n).squareRoot()) / 2)
        }
        guard left > 0 else {
            self.init(quantiles[0.5])
            return
        }
        let sorted = values.sorted()
        self.init(quantiles[0.5], low: sorted[left - 1], high: sorted[n - left])
    }
}
