import LinearAlgebra
package import Statistics

/// What the order of a series shows of one measure.
extension SeriesCurve {
    private var count: Int { toFirst.count }

    /// How well the measure follows the order.
    package func order(seed: UInt64) -> OrderTest? { OrderTest(ordered, seed: seed) }

    /// Whether it goes one way at each step; nil for a measure of two, and where a step could not be measured.
    package var monotone: StepTest? { steps.count == count - 1 ? StepTest(steps) : nil }

    /// Whether the distance from the last falls at each step before the last.
    package var convergence: StepTest? { approach.count == count - 2 ? StepTest(approach, direction: .falls) : nil }

    /// The step that holds most of the change.
    package var largestStep: LargestStep? { changes.count == count - 1 ? LargestStep(changes: changes) : nil }

    /// Whether that step is larger than change that falls on steps by chance gives, and beyond its interval: a phase.
    package var hasPhase: Verdict? {
        guard let largestStep else { return nil }
        let isBeyondNoise: Bool
        if values != nil {
            isBeyondNoise = steps.count == count - 1 && steps[largestStep.index].interval?.contains(0) == false
        } else {
            // What is known exactly has no error but that of f32.
            let step = toBefore[largestStep.index + 1]
            let distance = step.map { isSimilarity ? 1 - $0.value : $0.value } ?? 0
            isBeyondNoise = step.map { distance > max(1e-6, Proportion.z95 * ($0.standardError ?? .infinity)) } ?? false
        }
        return largestStep.p < 0.05 && isBeyondNoise ? .supported : .notDistinguishable
    }
}
