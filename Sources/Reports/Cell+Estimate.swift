package import Statistics

extension Cell {
    /// A mean with its interval; without one for a single cluster.
    ///
    /// - Parameter range: what a value can be: an interval ends there.
    package init(_ mean: ClusteredMean, within range: ClosedRange<Double> = -.infinity ... .infinity) {
        self.init(Estimate(mean, within: range))
    }

    /// A value, with its interval where it has one; missing for none.
    package init(_ estimate: Estimate?) {
        guard let estimate else {
            self = .missing
            return
        }
        if let low = estimate.low, let high = estimate.high {
            self = .interval(value: estimate.value, low: low, high: high)
        } else {
            self = .number(estimate.value)
        }
    }
}
