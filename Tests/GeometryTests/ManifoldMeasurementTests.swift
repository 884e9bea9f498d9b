import Control
import LinearAlgebra
import Statistics
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@testable import Geometry

/// Planted sets whose dimension and structure are known.
@Suite(.serialized)
struct ManifoldMeasurementTests {
    private static let count = 1000
    private static let pool = try! ThreadPool(threadCount: 2)
    private static let calibration = Result {
        try Calibration(count: count, width: 64, pool: pool, control: RunControl())
    }

    private func measured(_ points: Matrix, seed: UInt64 = 0) throws -> ManifoldMeasurement {
        try ManifoldMeasurement(
            PointSet(points), calibration: Self.calibration.get(), seed: seed, pool: Self.pool, control: RunControl())
    }

    /// Rows of `points` in more coordinates, turned: [N, width].
    private func embedded(_ points: Matrix, width: Int, random: inout SeededRandom) -> Matrix {
        let turn = random.normal(count: points.columns * width)
        var result = Matrix(rows: points.rows, columns: width)
        for row in 0..<points.rows {
            for column in 0..<width {
                var sum = 0.0
                for inner in 0..<points.columns {
                    sum += Double(points[row, inner]) * turn[inner * width + column]
                }
                result[row, column] = Float(sum / Double(width).squareRoot())
            }
        }
        return result
    }

    @Test("A flat Gaussian of 20 dimensions in 64 coordinates is a linear subspace of 20")
    func flat() throws {
        var random = SeededRandom(seed: 1)
        let flat = Matrix.normal(rows: Self.count, columns: 20, random: &random)
        let m = try measured(embedded(flat, width: 64, random: &random))
        #expect(abs(m.estimate.value - 20) <= 1)
        #expect(m.estimate.interval.contains(20))
        #expect(m.structure == .linear)
        #expect(m.rank == 20)
        #expect(m.finding(on: 15...25) == .linear)
        #expect(m.finding(on: 300...500) == .outside)
    }

    @Test("A sphere of 20 dimensions is found to 5 %")
    func sphere() throws {
        var random = SeededRandom(seed: 2)
        let m = try measured(PlantedSample.sphere.points(dimension: 20, count: Self.count, random: &random))
        #expect(abs(m.estimate.value - 20) <= 1)
        #expect(m.estimate.interval.contains(20))
    }

    @Test("Gaussian noise in all coordinates is told from nothing", arguments: [3, 4, 5])
    func noise(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let m = try measured(Matrix.normal(rows: Self.count, columns: 64, random: &random))
        #expect(m.structure == .noise)
        #expect(m.finding(on: 40...80) == .noise)
    }

    @Test("A roll is curved and has two dimensions")
    func roll() throws {
        var random = SeededRandom(seed: 6)
        var points = Matrix(rows: Self.count, columns: 3)
        for row in 0..<Self.count {
            let turn = 4.7 * (1 + 2 * random.uniform())
            points[row, 0] = Float(turn * cos(turn))
            points[row, 1] = Float(turn * sin(turn))
            points[row, 2] = Float(21 * random.uniform())
        }
        let m = try measured(points)
        #expect(m.structure == .curved)
        #expect(m.surrogate.isBelowNull)
        #expect(abs(m.estimate.value - 2) <= 0.2)
        #expect(m.finding(on: 1.5...2.5) == .curved)
    }

    @Test("The surrogate quotient of a Gaussian lies within its null")
    func null() throws {
        var random = SeededRandom(seed: 7)
        var scaled = Matrix.normal(rows: 400, columns: 30, random: &random)
        for row in 0..<400 {
            for column in 0..<30 { scaled[row, column] /= Float(column + 1) }
        }
        let set = try PointSet(scaled)
        let twoNN = try TwoNN.estimate(
            NeighbourSearch(set, k: 2, pool: Self.pool, control: RunControl()).neighbours
        ).slope
        let test = try SurrogateTest(set, twoNN: twoNN, seed: 0, pool: Self.pool, control: RunControl())
        #expect(test.isAtNull)
        #expect(abs(test.score) < 3)
    }

    @Test("One thread and two say the same")
    func threads() throws {
        var random = SeededRandom(seed: 8)
        let set = try PointSet(Matrix.normal(rows: 150, columns: 6, random: &random))
        let values = try [1, 2].map { threads in
            let pool = try ThreadPool(threadCount: threads)
            defer { pool.stop() }
            let calibration = try Calibration(count: 150, width: 6, pool: pool, control: RunControl())
            let m = try ManifoldMeasurement(
                set, calibration: calibration, seed: 3, pool: pool, control: RunControl())
            return (m.estimate, m.surrogate, calibration)
        }
        #expect(values[0] == values[1])
    }

    @Test("Parts of a set are drawn without replacement, and smaller ones vary more")
    func decimation() throws {
        var random = SeededRandom(seed: 9)
        let set = try PointSet(Matrix.normal(rows: 1200, columns: 4, random: &random))
        let search = try NeighbourSearch(set, k: 100, pool: Self.pool, control: RunControl())
        let steps = Decimation(search.neighbours, sizes: [1200, 600, 150], repetitions: 12, seed: 0).steps
        #expect(steps.map(\.count) == [1200, 600, 150])
        let whole = try TwoNN.estimate(search.neighbours).slope
        #expect(abs(steps[0].dimension - whole) < 1e-9)
        #expect(steps[2].deviation > steps[1].deviation)
        // The rows of a part, searched anew, say the same as the neighbours read from the whole.
        var again = SeededRandom(seed: 0, stream: 600, 0)
        let part = set.subset(again.sample(600, of: 1200).map(Int32.init))
        let fresh = try TwoNN.estimate(
            NeighbourSearch(part, k: 2, pool: Self.pool, control: RunControl()).neighbours
        ).slope
        #expect(abs(exp(steps[1].logs[0]) - fresh) < 1e-9)
    }
}
