import Statistics
import Testing

@Suite("Estimates")
struct EstimateTests {
    @Test("elementary functions are those of the system's library")
    func functions() {
        #expect(Elementary.log(Elementary.exp(2)) == 2)
        #expect(abs(Elementary.atanh(0.5) - 0.5 * Elementary.log(3)) < 1e-15)
    }

    @Test("the median of runs stands between the least and the largest of them")
    func spread() throws {
        let found = try #require(Estimate(medianOf: [3, 1, 2, 10]))
        #expect(found.value == 2.5 && found.low == 1 && found.high == 10)
        #expect(Estimate(medianOf: []) == nil)
    }

    @Test("the sign test's interval leaves out as many values on either side as a fair coin allows in 95 %")
    func signTest() throws {
        // Of 10 values one may be left out on either side: P(Bin(10, 1/2) <= 1) = 11/1024 = 1.07 %, of two 5.47 %.
        let ten = try #require(Estimate(signTestMedianOf: (1...10).map(Double.init)))
        #expect(ten.value == 5.5 && ten.low == 2 && ten.high == 9)
        // Of 5 values even the ends say too little: P(Bin(5, 1/2) <= 0) = 3.1 %.
        let five = try #require(Estimate(signTestMedianOf: [1, 2, 3, 4, 5]))
        #expect(five.value == 3 && five.low == nil && five.high == nil)
        #expect(Estimate(signTestMedianOf: []) == nil)
        let many = try #require(Estimate(signTestMedianOf: (0..<1000).map(Double.init)))
        #expect(many.value == 499.5 && (465...472).contains(many.low ?? 0))
    }

    @Test("a mean's interval ends where its values can't go on")
    func mean() throws {
        let mean = try #require(ClusteredMean([[0, 0.1], [0, 0.9], [0, 0]]))
        let found = Estimate(mean, within: 0...1)
        #expect(found.value == mean.mean && found.low == 0 && (found.high ?? 2) <= 1)
        let one = try #require(ClusteredMean([[1, 2]]))
        #expect(Estimate(one).low == nil)
    }

    @Test("a kind of draw has a stream of its own, and its path chooses further")
    func streams() {
        func first(_ random: SeededRandom) -> UInt64 {
            var random = random
            return random.next()
        }
        #expect(first(SeededRandom(seed: 7, .similarity, 0, 3)) == first(SeededRandom(seed: 7, stream: 0x51, 0, 3)))
        #expect(first(SeededRandom(seed: 7, .similarity, 0, 3)) != first(SeededRandom(seed: 7, .shapeHalves, 0, 3)))
        #expect(first(SeededRandom(seed: 7, .folds)) != first(SeededRandom(seed: 8, .folds)))
    }
}
