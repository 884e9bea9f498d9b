import LinearAlgebra
package import Statistics

/// Two checkpoints' answers at the same positions of the same prompts.
package struct LogitsComparison: Sendable {
    /// [prompt][position]: a prompt may have no position.
    package let prompts: [[Divergence]]

    package init(_ prompts: [[Divergence]]) { self.prompts = prompts }

    package var positions: Int { prompts.reduce(0) { $0 + $1.count } }

    /// The mean over all positions of what is measured, prompts being the clusters; nil if it was measured nowhere.
    package func mean(_ measure: (Divergence) -> Double?) -> ClusteredMean? {
        ClusteredMean(prompts.map { $0.compactMap(measure) })
    }

    package func quantiles(_ measure: (Divergence) -> Double?) -> Quantiles? {
        Quantiles(prompts.joined().compactMap(measure))
    }

    /// The part of some prompts.
    package subscript(indices: some Sequence<Int>) -> LogitsComparison {
        LogitsComparison(indices.map { prompts[$0] })
    }

    /// Prompts with a position, those with the largest mean KL(A‖B) first, else in their order.
    package var largestFirst: [Int] {
        let means = prompts.map { $0.reduce(0) { $0 + $1.forward } / Double($0.count) }
        return prompts.indices.filter { !prompts[$0].isEmpty }
            .sorted { (-means[$0], $0) < (-means[$1], $1) }
    }
}
