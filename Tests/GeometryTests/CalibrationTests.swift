import LinearAlgebra
import Testing

@testable import Geometry

struct CalibrationTests {
    @Test("timing") func timing() throws {
        let clock = ContinuousClock()
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        var random = SeededRandom(seed: 3)
        for (n, d) in [(1000, 20), (2500, 20), (2500, 576)] {
            let set = try PointSet(Matrix.normal(rows: n, columns: d, random: &random))
            print(
                n, d, "all",
                try clock.measure {
                    let p = try DimensionProfile(set, pool: pool, control: RunControl())
                    print(DimensionEstimator.all.map { "\($0.name) \(p.values[$0] ?? -1)" }.joined(separator: " "))
                })
            print(
                try clock.measure {
                    let c = try Calibration(count: n, width: d, pool: pool, control: RunControl())
                    print(c.text)
                    #expect(Calibration(text: c.text) == c)
                })
        }
    }
}
