/// A value with the ends of its interval, if it has one. Whoever prints it says which interval that is.
package struct Estimate: Hashable, Sendable {
    package let value: Double
    /// The lower end; both ends are there, or neither.
    package let low: Double?
    /// The upper end.
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

    /// Takes a mean with its 95 % interval; for a single cluster there is no interval.
    ///
    /// - Parameter range: the possible values, at whose ends the interval is cut.
    package init(_ mean: ClusteredMean, within range: ClosedRange<Double> = -.infinity ... .infinity) {
        guard let low = mean.low, let high = mean.high else {
            self.init(mean.mean)
            return
        }
        self.init(mean.mean, low: max(range.lowerBound, low), high: min(range.upperBound, high))
    }

    /// Takes the median of some values, with the smallest and the largest of them as the interval; nil if there are
    /// none.
    package init?(medianOf values: [Double]) {
        guard let quantiles = Quantiles(values) else { return nil }
        self.init(quantiles[0.5], low: quantiles[0], high: quantiles[1])
    }

    /// The median with the 95 % interval of the sign test, order statistics that the true median lies between; without an
    /// interval where there are too few values, nil of none.
    package init?(signTestMedianOf values: [Double]) {
        guard let quantiles = Quantiles(values) else { return nil }
        let n = values.count
        // The most values that can be left out on either side: P(Bin(n, 1/2) < left) <= 2.5 %.
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
