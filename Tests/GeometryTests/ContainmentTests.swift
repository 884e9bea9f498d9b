import Control
import Geometry
import LinearAlgebra
import Statistics
import Testing

/// Containment in principal subspaces, and k-means: planted directions and clusters.
@Suite("Containment")
struct ContainmentTests {
    private static func measured(
        _ basis: [[Double]], _ fitted: Matrix, _ heldOut: Matrix, draws: Int = 100
    ) throws -> ContainmentMeasurement {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        return try ContainmentMeasurement(
            basis: basis, fitted: fitted, heldOut: heldOut, draws: draws, seed: 1, pool: pool, control: RunControl())
    }

    /// Points in `dimension` coordinates of `width`, with a little noise in all.
    private static func slab(_ count: Int, dimension: Int, width: Int, seed: UInt64) -> Matrix {
        var random = SeededRandom(seed: seed)
        var points = Matrix(rows: count, columns: width)
        for row in 0..<count {
            let values = random.normal(count: width)
            for column in 0..<width { points[row, column] = Float(values[column] * (column < dimension ? 1 : 0.01)) }
        }
        return points
    }

    private static func axis(_ column: Int, _ width: Int) -> [Double] { (0..<width).map { $0 == column ? 1 : 0 } }

    @Test("a direction of the set is contained, one beside it is outside, and one between is half in")
    func planted() throws {
        let (fitted, heldOut) = (
            Self.slab(300, dimension: 10, width: 40, seed: 2), Self.slab(300, dimension: 10, width: 40, seed: 3)
        )
        let inside = try Self.measured([Self.axis(3, 40)], fitted, heldOut)
        let outside = try Self.measured([Self.axis(20, 40)], fitted, heldOut)
        let root = 0.5.squareRoot()
        let between = try Self.measured(
            [(0..<40).map { $0 == 2 || $0 == 30 ? root : 0 }], fitted, heldOut)
        // d99 and PR are all ten directions of it.
        for place in [1, 2] {
            #expect(inside.levels[place].dimensions == 10)
            #expect(inside.levels[place].value > 0.999 && outside.levels[place].value < 0.001)
            #expect(abs(between.levels[place].value - 0.5) < 0.001)
            #expect(outside.levels[place].isContained == false && between.levels[place].isContained == false)
            #expect(try #require(inside.levels[place].spread) < 0.001)
            // Topics and noise are directions of the set.
            #expect(
                inside.levels[place].topics.quantile(0.05) > 0.99 && inside.levels[place].noise.quantile(0.05) > 0.99)
        }
        #expect(inside.levels.map(\.name) == ["d90", "d99", "PR"])
        #expect(inside.levels[0].dimensions == 9 || inside.levels[0].dimensions == 10)
    }

    @Test("the null of chance has the mean and the spread of random subspaces", arguments: [1, 3])
    func haar(dimension: Int) throws {
        let (fitted, heldOut) = (
            Self.slab(200, dimension: 6, width: 20, seed: 4), Self.slab(200, dimension: 6, width: 20, seed: 5)
        )
        var values: [Double] = []
        var level: ContainmentMeasurement.Level?
        for seed in 0..<200 {
            var random = SeededRandom(seed: UInt64(seed), stream: dimension)
            let noise = Matrix(
                rows: 60, columns: 20, values: random.normal(count: 1200).map(Float.init))
            let basis = try PrincipalComponents(of: noise, components: dimension).components
            let one = level == nil ? try Self.measured(basis, fitted, heldOut, draws: 2) : nil
            if let one { level = one.levels[1] }
            let components = try PrincipalComponents(of: fitted, components: try #require(level).dimensions).components
            values.append(
                components.reduce(0) { sum, v in
                    sum + basis.reduce(0) { $0 + pow2(zip($1, v).reduce(0) { $0 + $1.0 * $1.1 }) }
                } / Double(dimension))
        }
        let haar = try #require(level).haar
        let mean = values.reduce(0, +) / 200
        let spread = try #require(Halves.spread(values))
        #expect(abs(mean - haar.mean) < 4 * haar.spread / 200.0.squareRoot(), "\(mean), \(haar.mean)")
        #expect(abs(spread / haar.spread - 1) < 0.25, "\(spread), \(haar.spread)")
    }

    private func pow2(_ x: Double) -> Double { x * x }

    @Test("what can't be measured says why")
    func refusals() throws {
        let points = Self.slab(100, dimension: 4, width: 8, seed: 6)
        #expect(throws: GeometryError.widthsDiffer(9, 8)) {
            try Self.measured([Self.axis(0, 9)], points, points)
        }
        #expect(throws: GeometryError.tooFewPoints(found: 31, needed: 32)) {
            try Self.measured([Self.axis(0, 8)], points, points.selecting((0..<31).map(Int32.init)))
        }
        let same = Matrix(rows: 100, columns: 8, values: [Float](repeating: 1, count: 800))
        #expect(throws: GeometryError.allTheSame(rows: 100)) { try Self.measured([Self.axis(0, 8)], same, points) }
        #expect(throws: GeometryError.allTheSame(rows: 100)) { try Self.measured([Self.axis(0, 8)], points, same) }
    }

    @Test("k-means finds clusters that lie apart, whatever the seed, and the same ones for the same seed")
    func clusters() throws {
        var random = SeededRandom(seed: 7)
        var points = Matrix(rows: 90, columns: 4)
        for row in 0..<90 {
            let noise = random.normal(count: 4)
            for column in 0..<4 { points[row, column] = Float(noise[column] + (column == row % 3 ? 20 : 0)) }
        }
        let rows = try CentredRows(points)
        for seed in 0..<5 {
            var random = SeededRandom(seed: UInt64(seed))
            var again = random
            let found = try KMeans(rows, k: 3, random: &random, control: RunControl())
            for row in 3..<90 { #expect(found.labels[row] == found.labels[row % 3]) }
            #expect(Set(found.labels) == [0, 1, 2])
            #expect(try KMeans(rows, k: 3, random: &again, control: RunControl()).labels == found.labels)
        }
        // As many clusters as points: each is its own, also where some are the same.
        var twice = points.selecting([0, 1, 2, 2])
        twice[3, 0] = twice[2, 0]
        var seed = SeededRandom(seed: 1)
        #expect(try KMeans(CentredRows(twice), k: 4, random: &seed, control: RunControl()).inertia < 1e-20)
        #expect(throws: GeometryError.tooFewPoints(found: 4, needed: 5)) {
            try KMeans(CentredRows(twice), k: 5, random: &seed, control: RunControl())
        }
    }
}
