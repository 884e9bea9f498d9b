/// Whether a measure goes one way at each step of a sequence, beyond what its intervals leave open.
///
/// Supported: every step goes that way, its 95 % interval without 0. (All must, so none is corrected for their number.) Not
/// supported: some step goes the other way, its interval without 0 after Bonferroni's correction for the number of steps. Else
/// the two can't be told apart.
package struct StepTest: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package let change: Double
        /// 0 for what is known exactly; nil where it is unknown.
        package let standardError: Double?

        package init(_ change: Double, standardError: Double?) {
            self.change = change
            self.standardError = standardError
        }

        /// The mean of paired differences, prompts being the clusters.
        package init(_ mean: ClusteredMean) {
            self.init(mean.mean, standardError: mean.halfWidth.map { $0 / Proportion.z95 })
        }

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
    /// Steps that go the other way beyond their corrected interval.
    package let against: [Int]
    /// Steps that the verdict needs and that can't be told from no change.
    package let undecided: [Int]

    /// - Parameter direction: nil: that of the whole change.
    /// - Returns: nil without a step.
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
