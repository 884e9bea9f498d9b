import Statistics
import Testing

@Suite("Sign test")
struct SignTestTests {
    /// scipy.stats.binomtest(min(a, b), a + b).pvalue
    @Test(
        "agrees with the exact binomial test",
        arguments: [
            (3, 9, 0.14599609375), (0, 5, 0.0625), (9, 3, 0.14599609375), (7, 7, 1.0), (0, 0, 1.0),
            (40, 80, 0.00033040001839131815),
        ])
    func values(a: Int, b: Int, wanted: Double) {
        #expect(abs(SignTest.p(a, b) - wanted) < 1e-9)
    }

    @Test("counts beyond what a power of two can hold")
    func large() {
        let p = SignTest.p(5000, 5200)
        #expect(p > 0.04 && p < 0.05)
    }
}
