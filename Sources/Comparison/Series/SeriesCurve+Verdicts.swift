import LinearAlgebra
package import Statistics

/// Tests of what the order of a series shows about one measure.
extension SeriesCurve {
    private var count: Int { toFirst.count }

    /// Tests how well the measure follows the order.
    package func order(seed: UInt64) -> OrderTest? { OrderTest(ordered, seed: seed) }

    /// Tests whether the measure goes one way at each step; nil for a measure of two checkpoints, and if a step could
    /// not be measured.
    package var monotone: StepTest? { steps.count == count - 1 ? StepTest(steps) : nil }

    /// Tests whether the distance from the last checkpoint falls at each step before the last.
    package var convergence: StepTest? { approach.count == count - 2 ? StepTest(approach, direction: .falls) : nil }

    /// The step that holds most of the change; nil if a step could not be measured.
    package var largestStep: LargestStep? { changes.count == count - 1 ? LargestStep(changes: changes) : nil }

    /// The verdict on whether the series has a phase: a step larger than change that falls on steps by chance would
    /// give, and beyond its interval. Nil if a step could not be measured.
    package var hasPhase: Verdict? {
        guard let largestStep else { return nil }
        let isBeyondNoise: Bool
        if values != nil {
            isBeyondNoise = steps.count == count - 1 && steps[largestStep.index].interval?.contains(0) == false
        } else {
            // A value that is known exactly has no error but the rounding of f32.
            let step = toBefore[largestStep.index + 1]
            let distance = step.map { isSimilarity ? 1 - $0.value : $0.value } ?? 0
            isBeyondNoise = step.map { distance > max(1e-6, Proportion.z95 * ($0.standardError ?? .infinity)) } ?? false
        }
        return largestStep.p < 0.05 && isBeyondNoise ? .supported : .notDistinguishable
    }
}
