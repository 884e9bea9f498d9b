import Comparison
import LinearAlgebra
package import Statistics

/// Tests of what a walked path shows.
extension PathRun.Result {
    /// The barrier of the loss; nil without losses at both ends and between them.
    package var barrier: LossBarrier? { Self.barrier(points) }

    /// The barrier of each random path.
    package var randomBarriers: [Double] { random.compactMap { Self.barrier($0)?.value } }

    private static func barrier(_ points: [PathRun.Point]) -> LossBarrier? {
        LossBarrier(points.map { ($0.x, $0.losses) }, end: 1)
    }

    /// The points up to λ = 1, whose steps the tests below are about.
    package var inside: [PathRun.Point] { points.filter { $0.x <= 1 } }

    /// Tests whether KL(A || here) rises at each step to λ = 1.
    ///
    /// - Parameter direction: the direction to test; nil tests that of the whole change.
    package func departure(_ direction: StepTest.Direction? = .rises) -> StepTest? {
        test(direction) { $0.toA.prompts.map { $0.map(\.forward) } }
    }

    /// Tests whether KL(B || here) falls at each step to λ = 1.
    ///
    /// - Parameter direction: the direction to test; nil tests that of the whole change.
    package func arrival(_ direction: StepTest.Direction? = .falls) -> StepTest? {
        test(direction) { $0.toB.prompts.map { $0.map(\.forward) } }
    }

    private func test(
        _ direction: StepTest.Direction?, _ values: (PathRun.Point) -> [[Double]]
    ) -> StepTest? {
        let steps = zip(inside, inside.dropFirst()).compactMap { one, other -> StepTest.Step? in
            ClusteredMean(zip(values(one), values(other)).map { zip($0, $1).map { $1 - $0 } }).map { mean in
                // Changes this small can't be distinguished from 0 in f32 logits.
                abs(mean.mean) < LossBarrier.rounding ? .init(0, standardError: 0) : .init(mean)
            }
        }
        return StepTest(steps, direction: direction)
    }
}

extension LossBarrier {
    /// The verdict on whether the barrier is above 0; nil for a single prompt, which has no interval.
    package var verdict: Verdict? {
        interval.map { interval in
            interval.lowerBound > 0 ? .supported : interval.upperBound == 0 ? .notSupported : .notDistinguishable
        }
    }
}
