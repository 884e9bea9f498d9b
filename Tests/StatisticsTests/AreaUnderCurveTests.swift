import Statistics
import Testing

@Suite("Area under the curve")
struct AreaUnderCurveTests {
    @Test("it is the share of pairs in order, ties a half")
    func pairs() throws {
        var random = SeededRandom(seed: 2)
        let positives = random.normal(count: 37).map { ($0 * 3).rounded() }
        let negatives = random.normal(count: 23).map { ($0 * 3 - 1).rounded() }
        let naive = positives.flatMap { p in negatives.map { p > $0 ? 1 : p == $0 ? 0.5 : 0 } }.reduce(0, +) / (37 * 23)
        let found = try #require(AreaUnderCurve(positives: positives, negatives: negatives))
        #expect(abs(found.value - naive) < 1e-12)
        #expect(AreaUnderCurve(positives: [], negatives: [1]) == nil)
        #expect(AreaUnderCurve(positives: [.nan], negatives: [1]) == nil)
    }

    @Test("its interval has a width at 1, and covers the truth 95 % of the time")
    func interval() throws {
        let perfect = try #require(AreaUnderCurve(positives: [2, 3, 4, 5], negatives: [0, 1, 1.5]))
        #expect(perfect.value == 1 && perfect.interval.upperBound == 1)
        #expect(perfect.interval.lowerBound > 0.4 && perfect.interval.lowerBound < 0.95)
        // Normal scores one apart: the area is Φ(1/√2) = 0.760.
        var covered = 0
        for seed in 0..<400 {
            var random = SeededRandom(seed: UInt64(seed))
            let auc = try #require(
                AreaUnderCurve(
                    positives: random.normal(count: 30).map { $0 + 1 }, negatives: random.normal(count: 50)))
            if auc.interval.contains(0.76025) { covered += 1 }
        }
        #expect((370...394).contains(covered))
    }
}
