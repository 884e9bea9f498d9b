import LinearAlgebra
package import Statistics

/// The divergences between two checkpoints' predictions at the same positions of the same prompts.
package struct LogitsComparison: Sendable {
    /// The divergences between both checkpoints' next-token distributions, [prompt][position]; a prompt may have no
    /// position.
    package let prompts: [[Divergence]]

    package init(_ prompts: [[Divergence]]) { self.prompts = prompts }

    package var positions: Int { prompts.reduce(0) { $0 + $1.count } }

    /// Returns the mean of a measure of divergence over all positions, with the prompts as clusters for its interval;
    /// nil if the measure has a value nowhere.
    package func mean(_ measure: (Divergence) -> Double?) -> ClusteredMean? {
        ClusteredMean(prompts.map { $0.compactMap(measure) })
    }

    /// Returns the quantiles of a measure of divergence over all positions; nil if it has a value nowhere.
    package func quantiles(_ measure: (Divergence) -> Double?) -> Quantiles? {
        Quantiles(prompts.joined().compactMap(measure))
    }

    /// The comparison of both checkpoints' predictions restricted to some prompts, given by their indices.
    package subscript(indices: some Sequence<Int>) -> LogitsComparison {
        LogitsComparison(indices.map { prompts[$0] })
    }

    /// The indices of the prompts that have a position, in descending order of their mean divergence KL(A‖B); equal
    /// ones stay in their order.
    package var largestFirst: [Int] {
        let means = prompts.map { $0.reduce(0) { $0 + $1.forward } / Double($0.count) }
        return prompts.indices.filter { !prompts[$0].isEmpty }
            .sorted { (-means[$0], $0) < (-means[$1], $1) }
    }
}
