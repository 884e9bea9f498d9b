import Comparison
import LinearAlgebra
package import Statistics

/// Tests of what a walk along a path between two checkpoints shows.
extension PathRun.Result {
    /// The height by which the loss along the path rises above the line between its ends; nil without losses at both
    /// ends and between them.
    package var barrier: LossBarrier? { Self.barrier(points) }

    /// The barrier of the loss, in nats, on each random path that was walked for comparison.
    package var randomBarriers: [Double] { random.compactMap { Self.barrier($0)?.value } }

    private static func barrier(_ points: [PathRun.Point]) -> LossBarrier? {
        LossBarrier(points.map { ($0.x, $0.losses) }, end: 1)
    }

    /// The path's points up to λ = 1, its end; the tests of departure and arrival are about the steps between them.
    package var inside: [PathRun.Point] { points.filter { $0.x <= 1 } }

    /// Tests whether KL(A || model at λ), the divergence from the path's start, rises at each step up to λ = 1.
    ///
    /// - Parameter direction: the way in which the divergence should go; nil tests that of its whole change.
    package func departure(_ direction: StepTest.Direction? = .rises) -> StepTest? {
        test(direction) { $0.toA.prompts.map { $0.map(\.forward) } }
    }

    /// Tests whether KL(B || model at λ), the divergence from the path's end, falls at each step up to λ = 1.
    ///
    /// - Parameter direction: the way in which the divergence should go; nil tests that of its whole change.
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
    /// The verdict on whether the loss barrier is above 0; nil for a single prompt, which has no interval.
    package var verdict: Verdict? {
        interval.map { interval in
            interval.lowerBound > 0 ? .supported : interval.upperBound == 0 ? .notSupported : .notDistinguishable
        }
    }
}
