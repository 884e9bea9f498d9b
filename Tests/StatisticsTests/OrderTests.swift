import Foundation
import Statistics
import Testing

@testable import Statistics

/// Barriers, steps and orders against planted sequences and reference values.
struct OrderTests {
    /// Losses of 30 prompts of 10 tokens, the mean of each point given, with noise that is the prompt's own (and so cancels
    /// between points) and noise of each point.
    private func planted(_ means: [Double], noise: Double, seed: UInt64 = 5) -> [[[Double]]] {
        var random = SeededRandom(seed: seed)
        let own = random.normal(count: 300)
        return means.map { mean in
            let fresh = random.normal(count: 300)
            return (0..<30).map { prompt in
                (0..<10).map { mean + own[prompt * 10 + $0] + noise * fresh[prompt * 10 + $0] }
            }
        }
    }

    private let grid = (0...10).map { Double($0) / 10 }

    @Test("a planted barrier is found at its place, whatever the line that it stands on")
    func barrier() throws {
        let means = grid.map { 3 - 2 * $0 + 4 * $0 * (1 - $0) * 0.8 * $0 }
        let wanted = grid.map { 4 * $0 * (1 - $0) * 0.8 * $0 }.max()
        let exact = try #require(LossBarrier(Array(zip(grid, planted(means, noise: 0))), end: 1))
        #expect(abs(exact.value - (wanted ?? 0)) < 1e-12 && exact.place == 0.7)
        #expect(exact.heights.count == 9)
        let noisy = try #require(LossBarrier(Array(zip(grid, planted(means, noise: 0.3))), end: 1))
        let interval = try #require(noisy.interval)
        #expect(interval.contains(wanted ?? 0) && interval.lowerBound > 0.2 && interval.upperBound < 0.8)
    }

    @Test("a straight or a sagging loss is no barrier, and points beyond the end are passed over")
    func noBarrier() throws {
        let sag = grid.map { 2 - $0 - 0.5 * $0 * (1 - $0) }
        let found = try #require(LossBarrier(Array(zip(grid, planted(sag, noise: 0))), end: 1))
        #expect(found.value == 0 && found.place == 0 && found.interval == 0...0)
        let x = [0, 0.5, 1, 1.5]
        let beyond = try #require(LossBarrier(Array(zip(x, planted([1, 1.5, 2, 9], noise: 0))), end: 1))
        #expect(beyond.value < 1e-12 && beyond.heights.count == 1)
        // Of 200 straight lines, seldom more than 5 % of intervals leave out 0.
        var wrong = 0
        for seed in 0..<200 {
            let line = planted(grid.map { 1 + $0 }, noise: 0.3, seed: UInt64(seed))
            if let interval = LossBarrier(Array(zip(grid, line)), end: 1)?.interval, interval.lowerBound > 0 {
                wrong += 1
            }
        }
        #expect(wrong <= 14)
    }

    @Test("a barrier needs an end, a point before it, and a token")
    func impossible() {
        #expect(LossBarrier([], end: 1) == nil)
        #expect(LossBarrier([(0, [[1]]), (1, [[1]])], end: 1) == nil)
        #expect(LossBarrier([(0, [[1]]), (0.5, [[1]])], end: 1) == nil)
        #expect(LossBarrier([(0, [[]]), (0.5, [[]]), (1, [[]])], end: 1) == nil)
        let alone = LossBarrier([(0, [[1]]), (0.5, [[3]]), (1, [[1]])], end: 1)
        #expect(alone?.value == 2 && alone?.interval == nil)
    }

    @Test("steps: supported, not supported, and neither")
    func steps() throws {
        func test(_ steps: [(Double, Double?)], _ direction: StepTest.Direction? = nil) throws -> StepTest {
            try #require(
                StepTest(steps.map { .init($0.0, standardError: $0.1) }, direction: direction))
        }
        #expect(try test([(-1, 0.1), (-0.5, 0.1)]).verdict == .supported)
        #expect(try test([(-1, 0.1), (-0.5, 0.1)]).direction == .falls)
        #expect(try test([(-1, 0.1), (-0.5, 0.1)], .rises).verdict == .notSupported)
        let open = try test([(-1, 0.1), (-0.1, 0.1), (-1, nil)])
        #expect(open.verdict == .notDistinguishable && open.undecided == [1, 2] && open.against == [])
        let against = try test([(-1, 0.1), (0.5, 0.1), (-1, 0.1)])
        #expect(against.verdict == .notSupported && against.against == [1])
        // 2.2 standard errors the other way: beyond 1.96, not beyond 2.39 for three steps.
        #expect(try test([(-1, 0.1), (0.22, 0.1), (-1, 0.1)]).verdict == .notDistinguishable)
        // What is known exactly needs no interval; no change at all is no fall.
        #expect(try test([(-1e-9, 0), (-1, 0)]).verdict == .supported)
        #expect(try test([(0, 0), (-1, 0)]).verdict == .notDistinguishable)
        #expect(StepTest([]) == nil)
        #expect(StepTest([.init(.nan, standardError: 0)]) == nil)
    }

    @Test("Spearman and isotonic regression beside scipy 1.17.1 and scikit-learn 1.9.1, on six values")
    func order() throws {
        // scipy.stats.spearmanr(range(6), v) and IsotonicRegression(increasing=False); p by all 720 orders.
        let found = try #require(OrderTest([6.9, 5.2, 5.4, 3.0, 1.7, 1.7], seed: 0))
        #expect(abs(found.spearman - -0.9276336570439175) < 1e-12)
        #expect(found.orders == 720)
        #expect(abs(found.isotonic - 0.999144872799829) < 1e-12)
        #expect(OrderTest.isotonic([1, 3, 2, 4, 3.5, 5]) == [1, 2.5, 2.5, 3.75, 3.75, 5])
        #expect(OrderTest.isotonic([3, 2, 1]) == [2, 2, 2])
        let steady = try #require(OrderTest([1, 2, 3, 4, 5], seed: 0))
        #expect(steady.spearman == 1 && steady.isotonic == 1)
        // Two of 120 orders are monotone.
        #expect(abs(steady.spearmanP - 2.0 / 120) < 1e-15 && abs(steady.isotonicP - 2.0 / 120) < 1e-15)
        #expect(OrderTest([1, 2], seed: 0) == nil && OrderTest([1, 1, 1], seed: 0) == nil)
        #expect(OrderTest([1, .nan, 2], seed: 0) == nil)
    }

    @Test("orders in noise are seldom called monotone, long ones by drawing")
    func permutations() throws {
        var random = SeededRandom(seed: 3)
        var few = 0
        for _ in 0..<40 {
            let found = try #require(OrderTest(random.normal(count: 9), seed: 1))
            #expect(found.orders == 10_000)
            if found.isotonicP < 0.05 { few += 1 }
        }
        #expect(few <= 6)
        let rising = try #require(OrderTest((0..<12).map { Double($0 * $0) }, seed: 1))
        #expect(rising.isotonicP < 0.001 && rising.spearman == 1)
        #expect(
            OrderTest((0..<9).map { sin(Double($0)) }, seed: 1) == OrderTest((0..<9).map { sin(Double($0)) }, seed: 1))
    }

    @Test("the largest share of change, with Fisher's probability")
    func largest() throws {
        let phase = try #require(LargestStep(changes: [-0.1, -4, 0.1, -0.2, -0.1]))
        #expect(phase.index == 1 && abs(phase.share - 4 / 4.5) < 1e-12)
        // 5 (1 - g)^4 alone where 2g > 1.
        #expect(abs(phase.p - 5 * pow(1 - 4 / 4.5, 4)) < 1e-15)
        // Fisher 1929, table I: for 5 values 5 % lie above 0.68377.
        #expect(abs(LargestStep.probability(0.68377, steps: 5) - 0.05) < 1e-5)
        let even = try #require(LargestStep(changes: [1, -1, 1, -1]))
        #expect(even.share == 0.25 && even.p == 1 && abs(even.expected - 25.0 / 48) < 1e-15)
        #expect(LargestStep(changes: [1]) == nil && LargestStep(changes: [0, 0]) == nil)
        #expect(LargestStep.probability(1.0 / 500, steps: 500) == 1)
        // By drawing: the pieces of a stick.
        var random = SeededRandom(seed: 11)
        var above = 0
        for _ in 0..<4000 {
            let pieces = (0..<6).map { _ in -log(random.uniform()) }
            if (pieces.max() ?? 0) / pieces.reduce(0, +) > 0.5 { above += 1 }
        }
        #expect(abs(Double(above) / 4000 - LargestStep.probability(0.5, steps: 6)) < 0.02)
    }

    @Test("normal quantiles")
    func quantiles() {
        #expect(abs(NormalQuantile.twoSided(0.05) - Proportion.z95) < 1e-12)
        #expect(abs(NormalQuantile.simultaneous(10) - 2.807033768343811) < 1e-12)
    }
}
