import LinearAlgebra
package import Statistics

/// Tests of how one measure changes along the order of a series of checkpoints.
extension SeriesCurve {
    private var count: Int { toFirst.count }

    /// Tests how well the measure follows the order of the checkpoints.
    package func order(seed: UInt64) -> OrderTest? { OrderTest(ordered, seed: seed) }

    /// Tests whether the measure goes the same way at each step from one checkpoint to the next; nil for a measure that
    /// needs two checkpoints, and if a step could not be measured.
    package var monotone: StepTest? { steps.count == count - 1 ? StepTest(steps) : nil }

    /// Tests whether the measure's distance from the last checkpoint falls at each step, leaving out the step to the
    /// last checkpoint; nil if one could not be measured.
    package var convergence: StepTest? { approach.count == count - 2 ? StepTest(approach, direction: .falls) : nil }

    /// The step from one checkpoint to the next with the largest change of the measure; nil if a step could not be
    /// measured.
    package var largestStep: LargestStep? { changes.count == count - 1 ? LargestStep(changes: changes) : nil }

    /// The verdict on whether the series has a phase: a step between neighbouring checkpoints that is larger than if
    /// the change fell on steps by chance (p < 0.05), and larger than its own error. Nil if a step could not be
    /// measured.
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
