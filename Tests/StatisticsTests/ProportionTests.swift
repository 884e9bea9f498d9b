import Statistics
import Testing

@testable import Statistics

@Suite("Proportions")
struct ProportionTests {
    /// scipy 1.17.1, scipy.stats.binomtest(successes, trials).proportion_ci(method="wilson").
    @Test(
        "Wilson's interval is that of scipy",
        arguments: [
            (8, 10, 0.4901624715366418, 0.9433178485456248), (0, 20, 0, 0.16112515805281935),
            (20, 20, 0.8388748419471808, 1), (1, 2, 0.09453120573423074, 0.9054687942657693),
            (37, 1000, 0.026961180875554734, 0.05058239748206931),
        ])
    func known(successes: Int, trials: Int, low: Double, high: Double) throws {
        let proportion = Proportion(successes: successes, trials: trials)
        let interval = try #require(proportion.wilsonInterval())
        #expect(abs(interval.lowerBound - low) < 1e-12 && abs(interval.upperBound - high) < 1e-12, "\(interval)")
        #expect(try interval.contains(#require(proportion.value)))
    }

    @Test("its ends are the shares whose score test is just at z")
    func score() throws {
        for trials in [1, 3, 10, 400] {
            for successes in 0...trials {
                let proportion = Proportion(successes: successes, trials: trials)
                let p = try #require(proportion.value)
                let interval = try #require(proportion.wilsonInterval())
                for end in [interval.lowerBound, interval.upperBound] where end > 0 && end < 1 {
                    let score = (p - end) / (end * (1 - end) / Double(trials)).squareRoot()
                    #expect(abs(abs(score) - Proportion.z95) < 1e-9, "\(successes) of \(trials)")
                }
                #expect((0...1).contains(interval.lowerBound) && (0...1).contains(interval.upperBound))
            }
        }
    }

    @Test("counts outcomes; without any there is neither share nor interval")
    func outcomes() {
        #expect(Proportion([true, false, true]) == Proportion(successes: 2, trials: 3))
        let none = Proportion([])
        #expect(none.value == nil && none.wilsonInterval() == nil)
    }
}
