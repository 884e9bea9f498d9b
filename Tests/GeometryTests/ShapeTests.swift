import Control
import Geometry
import LinearAlgebra
import Statistics
import Testing

/// Whether two sets have one shape: planted ones that do, and that do not.
@Suite("Shapes side by side")
struct ShapeTests {
    private static func measured(_ x: Matrix, _ y: Matrix) throws -> ShapeMeasurement {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        return try ShapeMeasurement(x, y, seed: 3, pool: pool, control: RunControl())
    }

    private static func noisy(_ x: Matrix, _ size: Float, seed: UInt64) -> Matrix {
        var random = SeededRandom(seed: seed)
        let noise = random.normal(count: x.values.count)
        return Matrix(
            rows: x.rows, columns: x.columns, values: zip(x.values, noise).map { $0 + size * Float($1) })
    }

    @Test("dimensions are those of scipy and scikit-learn (Scripts/estimators/similarity.py)")
    func golden() throws {
        let shape = try Self.measured(
            SimilarityTests.planted(60, 6, step: 11, share: 1), SimilarityTests.planted(60, 6, step: 13, share: 2))
        let wanted = ["PR": (5.782747411091993, 5.196683464433402), "TwoNN": (0.9518581266305559, 1.3835705463186347)]
        for (name, numbers) in wanted {
            let found = try #require(shape.dimensions.first { $0.name == name })
            #expect(abs(found.x / numbers.0 - 1) < 1e-9 && abs(found.y / numbers.1 - 1) < 1e-9, "\(name)")
        }
        let linear = try #require(shape.dimensions.first { $0.name == "d90" })
        #expect(linear.x == 5 && linear.y == 5)
    }

    @Test("a set beside itself is unchanged, its subspaces at no angle")
    func identical() throws {
        let x = flatGaussian(200, dimension: 6, width: 12, seed: 1)
        let shape = try Self.measured(x, x)
        #expect(shape.finding == .unchanged)
        for dimension in shape.dimensions { #expect(dimension.logRatio == 0 && dimension.ratioSpread == 0) }
        let spaces = try #require(shape.subspaces)
        #expect(spaces.dimension == 6)
        #expect(spaces.angles.radians.allSatisfy { $0 == 0 })
        // All six directions of the set: halves find the same space.
        #expect(spaces.ceiling > 0.999 && abs(spaces.across - spaces.ceiling) < 1e-9)
    }

    @Test("a little noise changes nothing; more dimensions, or unrelated points of as many, do")
    func verdicts() throws {
        let x = flatGaussian(300, dimension: 6, width: 12, seed: 2)
        #expect(try Self.measured(x, Self.noisy(x, 0.02, seed: 3)).finding == .unchanged)
        #expect(try Self.measured(x, Self.noisy(x, 1, seed: 4)).finding == .changed)
        let other = try Self.measured(x, flatGaussian(300, dimension: 6, width: 12, seed: 5))
        #expect(other.finding == .changed)
        #expect(abs(try #require(other.dimensions.first { $0.name == "PR" }).logRatio) < 0.1)
        // Twenty points say nothing either way.
        let few = x.selecting((0..<20).map(Int32.init))
        #expect(try Self.measured(few, Self.noisy(few, 0.1, seed: 6)).finding == .notShown)
    }

    @Test("subspaces of unrelated directions are far below the ceiling that halves of one set reach")
    func subspaces() throws {
        let x = flatGaussian(300, dimension: 4, width: 40, seed: 7)
        let turned = Matrix(
            rows: 300, columns: 40, values: (0..<300).flatMap { row in x.row(row).reversed() })
        let spaces = try #require(try Self.measured(x, turned).subspaces)
        #expect(spaces.ceiling > 0.99)
        #expect(spaces.across < 0.6)
        #expect(spaces.random == 0.1)
    }

    @Test("rows that repeat in either set are left out of both; other widths have no angles; too few points say so")
    func rows() throws {
        let x = flatGaussian(60, dimension: 3, width: 6, seed: 8)
        var y = Self.noisy(x, 0.1, seed: 9)
        for column in 0..<6 { y[5, column] = y[4, column] }
        #expect(try Self.measured(x, y).count == 59)
        #expect(try Self.measured(x, flatGaussian(60, dimension: 3, width: 7, seed: 8)).subspaces == nil)
        let few = x.selecting((0..<19).map(Int32.init))
        #expect(throws: GeometryError.tooFewPoints(found: 19, needed: 20)) { try Self.measured(few, few) }
        // However few there are, as many are needed.
        let one = few.selecting([0])
        #expect(throws: GeometryError.tooFewPoints(found: 1, needed: 20)) { try Self.measured(one, one) }
        let twice = few.selecting((0..<20).map { $0 % 19 })
        #expect(throws: GeometryError.tooFewDistinct(found: 19, rows: 20, needed: 20)) {
            try Self.measured(twice, twice)
        }
        #expect(throws: GeometryError.rowsDiffer(60, 19)) { try Self.measured(x, few) }
        var bad = x
        bad[1, 1] = .infinity
        #expect(throws: GeometryError.notFinite(row: 1, column: 1)) { try Self.measured(x, bad) }
    }
}
