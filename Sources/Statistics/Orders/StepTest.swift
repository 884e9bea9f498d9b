/// Tests whether a measure goes one way at each step of a sequence, beyond the uncertainty of its intervals.
///
/// Supported: every step goes the tested way, and its 95 % interval excludes 0. (All steps must, so none is corrected
/// for their number.) Not supported: some step goes the other way, and its interval excludes 0 after Bonferroni's
/// correction for the number of steps. Otherwise the two can't be distinguished.
package struct StepTest: Sendable, Equatable {
    /// One step of a sequence: the change of a measure with its standard error.
    package struct Step: Sendable, Equatable {
        package let change: Double
        /// The standard error of the step's change: 0 for a change that is known exactly, nil if it is unknown.
        package let standardError: Double?

        package init(_ change: Double, standardError: Double?) {
            self.change = change
            self.standardError = standardError
        }

        /// Makes a step of the mean of paired differences between two points, with prompts as the clusters.
        package init(_ mean: ClusteredMean) {
            self.init(mean.mean, standardError: mean.halfWidth.map { $0 / Proportion.z95 })
        }

        /// The 95 % interval (normal) of the step's change; nil if the standard error is unknown.
        package var interval: ClosedRange<Double>? {
            standardError.map { change - Proportion.z95 * $0...change + Proportion.z95 * $0 }
        }
    }

    package enum Direction: String, Sendable {
        case rises, falls
    }

    package let direction: Direction
    package let steps: [Step]
    package let verdict: Verdict
    /// The indices of the steps that go against the tested direction beyond their corrected interval.
    package let against: [Int]
    /// The indices of the other steps whose direction is not shown, so that the verdict can't be supported.
    package let undecided: [Int]

    /// - Parameter direction: the direction, rising or falling, that is tested; nil tests that of the whole change.
    /// - Returns: nil if there is no step or a step's change is not finite.
    package init?(_ steps: [Step], direction: Direction? = nil) {
        guard !steps.isEmpty, steps.allSatisfy(\.change.isFinite) else { return nil }
        let chosen = direction ?? (steps.reduce(0) { $0 + $1.change } < 0 ? .falls : .rises)
        let sign = chosen == .rises ? 1.0 : -1.0
        let corrected = NormalQuantile.simultaneous(steps.count)
        func isBeyond(_ step: Step, _ sign: Double, _ z: Double) -> Bool {
            step.standardError.map { sign * step.change > z * $0 } ?? false
        }
        against = steps.indices.filter { isBeyond(steps[$0], -sign, corrected) }
        let wrong = Set(against)
        undecided = steps.indices.filter { !wrong.contains($0) && !isBeyond(steps[$0], sign, Proportion.z95) }
        verdict = !against.isEmpty ? .notSupported : undecided.isEmpty ? .supported : .notDistinguishable
        self.direction = chosen
        self.steps = steps
    }
}
