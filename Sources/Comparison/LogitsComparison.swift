import LinearAlgebra
package import Statistics

/// The divergences between two checkpoints' predictions at the same positions of the same prompts.
package struct LogitsComparison: Sendable {
    /// The divergences, [prompt][position]; a prompt may have no position.
    package let prompts: [[Divergence]]

    package init(_ prompts: [[Divergence]]) { self.prompts = prompts }

    package var positions: Int { prompts.reduce(0) { $0 + $1.count } }

    /// Returns the mean of a measure over all positions, with the prompts as clusters; nil if it was measured nowhere.
    package func mean(_ measure: (Divergence) -> Double?) -> ClusteredMean? {
        ClusteredMean(prompts.map { $0.compactMap(measure) })
    }

    /// Returns the quantiles of a measure over all positions; nil if it was measured nowhere.
    package func quantiles(_ measure: (Divergence) -> Double?) -> Quantiles? {
        Quantiles(prompts.joined().compactMap(measure))
    }

    /// The comparison restricted to some prompts.
    package subscript(indices: some Sequence<Int>) -> LogitsComparison {
        LogitsComparison(indices.map { prompts[$0] })
    }

    /// The places of the prompts that have a position, in descending order of their mean KL(A‖B); equal ones stay in
    /// their order.
    package var largestFirst: [Int] {
        let means = prompts.map { $0.reduce(0) { $0 + $1.forward } / Double($0.count) }
        return prompts.indices.filter { !prompts[$0].isEmpty }
            .sorted { (-means[$0], $0) < (-means[$1], $1) }
    }
}
