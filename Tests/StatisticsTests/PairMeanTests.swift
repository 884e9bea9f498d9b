import Statistics
import Testing

@testable import Statistics

@Suite("Means over pairs")
struct PairMeanTests {
    @Test("a mean over pairs has an interval that holds the truth nineteen times in twenty")
    func pairMean() throws {
        for (freedom, exact) in [(3.0, 3.182), (10, 2.228), (30, 2.042), (1e6, 1.960)] {
            #expect(abs(PairMean.student95(freedom) / exact - 1) < 0.01)
        }
        #expect(PairMean([(1, 0, 0), (2, 1, 1)]).halfWidth == nil)
        var random = SeededRandom(seed: 4)
        var held = 0
        for _ in 0..<400 {
            let effects = random.normal(count: 20)
            var values: [(value: Double, one: Int, other: Int)] = []
            for one in 0..<20 {
                for other in 0..<one where (one + other) % 3 == 0 {
                    values.append((effects[one] + effects[other] + 0.5 * random.normal(count: 1)[0], one, other))
                }
            }
            let mean = PairMean(values)
            #expect(mean.groups == 20 && mean.pairs == values.count)
            let half = try #require(mean.halfWidth)
            if abs(mean.mean) < half { held += 1 }
        }
        #expect((360...395).contains(held), "\(held) of 400")
    }
}
