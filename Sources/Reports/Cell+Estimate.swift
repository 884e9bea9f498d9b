package import Statistics

extension Cell {
    /// Makes a cell of a mean with its interval. The mean of a single cluster has no interval.
    ///
    /// - Parameters:
    ///   - mean: The mean.
    ///   - range: The possible values, at whose ends the interval is cut.
    package init(_ mean: ClusteredMean, within range: ClosedRange<Double> = -.infinity ... .infinity) {
        self.init(Estimate(mean, within: range))
    }

    /// Makes a cell of a value, with its interval if it has one. The cell is missing if the estimate is nil.
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
