import Statistics
import Testing

@Suite("Mean over clusters")
struct ClusteredMeanTests {
    @Test("clusters of one are a plain mean with its standard error")
    func single() throws {
        let values = [1.0, 4, 2, 9, 4]
        let found = try #require(ClusteredMean(values.map { [$0] }))
        #expect(found.mean == 4)
        // Variance 38 / 4, over 5 values.
        let half = Proportion.z95 * (38.0 / 4 / 5).squareRoot()
        #expect(abs(try #require(found.halfWidth) - half) < 1e-14)
        #expect(try #require(found.low) < 4 && found.high == 4 + found.halfWidth!)
    }

    @Test("repeating every member of a cluster says no more")
    func repeated() throws {
        let once = try #require(ClusteredMean([[1], [4], [2]]))
        let often = try #require(ClusteredMean([[1, 1, 1], [4, 4, 4], [2, 2, 2]]))
        #expect(abs(once.mean - often.mean) < 1e-15)
        #expect(abs(once.halfWidth! - often.halfWidth!) < 1e-14)
        #expect(often.count == 9 && often.clusters == 3)
    }

    @Test("unequal clusters by hand")
    func unequal() throws {
        // Sums 3 and 9 of 2 and 1 members: mean 4, residuals -5 and 5, members a cluster 1.5.
        let found = try #require(ClusteredMean([[1, 2], [], [9]]))
        #expect(found.mean == 4 && found.clusters == 2)
        #expect(abs(found.halfWidth! - Proportion.z95 * 5 / 1.5) < 1e-14)
    }

    @Test("one cluster has no interval, none has no mean")
    func few() {
        #expect(ClusteredMean([[1, 3]])?.mean == 2)
        #expect(ClusteredMean([[1, 3]])?.halfWidth == nil)
        #expect(ClusteredMean([[], []]) == nil)
    }
}
