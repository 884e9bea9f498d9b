import Statistics
import Testing

@Suite("Ranks and quantiles")
struct RankTests {
    @Test("ranks of equal values are their mean")
    func ranks() {
        #expect(RankCorrelation.ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2])
        #expect(RankCorrelation.correlation(ofRanks: [1, 2, 3], [3, 2, 1]) == -1)
        #expect(RankCorrelation.correlation(ofRanks: [2, 2, 2], [1, 2, 3]) == nil)
    }

    @Test("quantiles are numpy's")
    func quantiles() throws {
        let values = (0..<250).map { Double($0 * 91 % 241) / 8 }
        let quantiles = try #require(Quantiles(values))
        let golden = [
            (1, 30.0), (0.999, 29.968875), (0.99, 29.68875), (0.95, 28.44375), (0.9, 26.8875), (0.5, 14.9375),
            (0.1, 2.8625), (0.05, 1.30625), (0.01, 0.18625), (0.001, 0), (0, 0),
        ]
        for (share, value) in golden { #expect(abs(quantiles[share] - value) < 1e-12, "\(share)") }
        #expect(Quantiles([]) == nil)
        #expect(Quantiles([7])?[0.3] == 7)
    }
}
