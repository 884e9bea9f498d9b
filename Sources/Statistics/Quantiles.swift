/// Quantiles of a sample, interpolated between neighbours: type 7 of Hyndman and Fan 1996, as numpy and llama.cpp's
/// `perplexity --kl-divergence` use it.
package struct Quantiles: Sendable, Equatable {
    /// The sample's values, ascending and not empty.
    private let values: [Double]

    /// - Returns: nil for an empty sample.
    package init?(_ values: some Sequence<Double>) {
        self.values = values.sorted()
        if self.values.isEmpty { return nil }
    }

    /// Returns a quantile of the sample, interpolated between neighbouring values.
    ///
    /// - Parameter share: the quantile's place: 0 gives the smallest value, 0.5 the median, 1 the largest.
    package subscript(share: Double) -> Double {
        let place = min(max(share, 0), 1) * Double(values.count - 1)
        let index = min(Int(place), values.count - 1)
        let part = place - Double(index)
        guard part > 0, index + 1 < values.count else { return values[index] }
        return values[index] + part * (values[index + 1] - values[index])
    }
}
