package import Statistics

extension Cell {
    /// A mean with its interval; without one for a single cluster.
    ///
    /// - Parameter range: what a value can be: an interval ends there.
    package init(_ mean: ClusteredMean, within range: ClosedRange<Double> = -.infinity ... .infinity) {
        guard let low = mean.low, let high = mean.high else {
            self = .number(mean.mean)
            return
        }
        self = .interval(
            value: mean.mean, low: max(range.lowerBound, low), high: min(range.upperBound, high))
    }
}
