import Statistics
import Testing

@Suite("Adjusted p values")
struct HolmAdjustmentTests {
    @Test(
        "Holm's adjustment",
        arguments: [([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]), ([], []), ([0.7, 1], [1, 1])])
    func holm(values: [Double], expected: [Double]) {
        let found = HolmAdjustment.adjusted(values)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 } && found.count == expected.count)
    }
}
