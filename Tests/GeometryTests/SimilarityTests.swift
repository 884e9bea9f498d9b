import Control
import Geometry
import LinearAlgebra
import Statistics
import Testing

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Similarities of paired rows, against scipy and scikit-learn (Scripts/estimators/similarity.py prints the numbers),
/// naive sums, and what is planted.
@Suite("Similarity of paired rows")
struct SimilarityTests {
    /// The sets of Scripts/estimators/similarity.py.
    static func planted(_ rows: Int, _ columns: Int, step: Int, share: Int) -> Matrix {
        var points = Matrix(rows: rows, columns: columns)
        for i in 0..<rows {
            for j in 0..<columns {
                let shared = ((i * i * 7 + i * 3) % 23 - 11) * (j % 3 + 1) + ((i * 5 + i * i) % 19 - 9) * ((j + 1) % 4)
                let own = (i * i * step + i * j * 5 + j * j * 3 + i * (step + 2)) % 29 - 14
                points[i, j] = Float(shared * share + own * 8) / 32
            }
        }
        return points
    }

    private static let x = planted(60, 6, step: 11, share: 1)
    private static let y = planted(60, 6, step: 13, share: 2)
    private static let z = planted(60, 9, step: 17, share: 1)

    private static func measured(_ x: Matrix, _ y: Matrix, groups: [Int]? = nil) throws -> SimilarityMeasurement {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        return try SimilarityMeasurement(x, y, groups: groups, seed: 5, pool: pool, control: RunControl())
    }

    private static func gaussian(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var random = SeededRandom(seed: seed)
        return Matrix(rows: rows, columns: columns, values: random.normal(count: rows * columns).map(Float.init))
    }

    /// Rows turned by an orthogonal matrix, times `scale`.
    private static func rotated(_ x: Matrix, seed: UInt64, scale: Double = 1) throws -> Matrix {
        let basis = try PrincipalComponents(
            of: gaussian(4 * x.columns, x.columns, seed: seed), components: x.columns
        ).components
        var result = Matrix(rows: x.rows, columns: x.columns)
        for row in 0..<x.rows {
            for (column, direction) in basis.enumerated() {
                let sum = zip(x.row(row), direction).reduce(0) { $0 + Double($1.0) * $1.1 }
                result[row, column] = Float(scale * sum)
            }
        }
        return result
    }

    @Test("every measure is what scipy and scikit-learn say, to 1e-9")
    func golden() throws {
        let same = try Self.measured(Self.x, Self.y)
        let wanted: [SimilarityMeasure: Double] = [
            .cka: 0.25871566469249374, .ckaWithoutRogue: 0.09283988575581754, .svcca: 0.42930423934005496,
            .pwcca: 0.45380292151617874, .rsa: 0.062483613690533166, .procrustes: 1.0575631290246987,
            .relativeDistance: 1.2844742865744911, .cosine: 0.2316582115631135,
        ]
        for measure in SimilarityMeasure.allCases {
            let (found, expected) = (try #require(same.values[measure]).value, try #require(wanted[measure]))
            #expect(abs(found - expected) <= 1e-9 * abs(expected), "\(measure): \(found), scipy \(expected)")
        }
        let other = try Self.measured(Self.x, Self.z)
        let across: [SimilarityMeasure: Double] = [
            .cka: 0.1471729316924026, .ckaWithoutRogue: 0.03896406340617968, .svcca: 0.5354171818459473,
            .pwcca: 0.5357979397928102, .rsa: 0.03197193960836869,
        ]
        for (measure, expected) in across {
            let found = try #require(other.values[measure]).value
            #expect(abs(found - expected) <= 1e-9 * abs(expected), "\(measure): \(found), scipy \(expected)")
        }
        // What needs both sets in one space has no value, and no refusal: nothing is wrong with the rows.
        for measure in SimilarityMeasure.allCases where measure.needsOneWidth {
            #expect(other.values[measure] == nil && other.refusals[measure] == nil)
        }
    }

    @Test("principal angles are scipy's, and exactly 0 between a basis and itself")
    func angles() throws {
        let bases = try [Self.x, Self.y].map {
            try PrincipalComponents(of: $0, components: 3).components.flatMap(\.self)
        }
        let angles = try PrincipalAngles(between: bases[0], and: bases[1], width: 6)
        for (found, wanted) in zip(angles.radians, [22.643986863212103, 30.984458602154216, 71.05542855269154]) {
            #expect(abs(found * 180 / .pi - wanted) < 1e-9)
        }
        #expect(abs(angles.overlap - 0.564048983336596) < 1e-12)
        #expect(try PrincipalAngles(between: bases[0], and: bases[0], width: 6).radians == [0, 0, 0])
    }

    @Test("a set beside itself has exactly 1 and 0, and so have all its halves")
    func identical() throws {
        let found = try Self.measured(Self.x, Self.x)
        for (measure, similarity) in found.values {
            let wanted: Double = measure == .procrustes || measure == .relativeDistance ? 0 : 1
            #expect(similarity.value == wanted, "\(measure)")
            if let spread = similarity.spread { #expect(spread == 0, "\(measure)") }
        }
        #expect(found.values.count == SimilarityMeasure.allCases.count)
    }

    @Test("rotation and scale leave CKA, Procrustes and SVCCA as they are; coordinates differ")
    func rotation() throws {
        let x = flatGaussian(300, dimension: 6, width: 12, seed: 1)
        let found = try Self.measured(x, Self.rotated(x, seed: 2, scale: 3))
        #expect(abs(try #require(found.values[.cka]).value - 1) < 1e-9)
        #expect(try #require(found.values[.procrustes]).value < 1e-9)
        #expect(abs(try #require(found.values[.svcca]).value - 1) < 1e-9)
        #expect(try #require(found.values[.relativeDistance]).value > 0.5)
    }

    @Test("wide sets, with fewer rows than coordinates, are measured as the same rows in other coordinates")
    func wide() throws {
        let x = flatGaussian(40, dimension: 5, width: 12, seed: 3)
        let y = flatGaussian(40, dimension: 5, width: 12, seed: 4)
        func padded(_ points: Matrix) -> Matrix {
            Matrix(
                rows: points.rows, columns: 60,
                values: (0..<points.rows).flatMap { Array(points.row($0)) + [Float](repeating: 0, count: 48) })
        }
        let (narrow, wide) = (try Self.measured(x, y), try Self.measured(padded(x), padded(y)))
        for measure in [SimilarityMeasure.cka, .svcca, .procrustes] {
            let (a, b) = (try #require(narrow.values[measure]), try #require(wide.values[measure]))
            #expect(abs(a.value - b.value) < 1e-7, "\(measure)")
            #expect(abs(try #require(a.floor) - (try #require(b.floor))) < 1e-6, "\(measure)")
        }
    }

    @Test("unrelated sets: debiased CKA is about 0 where the biased one is not, and so is its floor")
    func unrelated() throws {
        let (x, y) = (Self.gaussian(100, 60, seed: 5), Self.gaussian(100, 60, seed: 6))
        let found = try Self.measured(x, y)
        let cka = try #require(found.values[.cka])
        let (k, l) = (CentredKernel(try CentredRows(x)), CentredKernel(try CentredRows(y)))
        func sum(_ a: CentredKernel, _ b: CentredKernel) -> Double {
            zip(a.values, b.values).reduce(0) { $0 + $1.0 * $1.1 }
        }
        #expect(sum(k, l) / (sum(k, k) * sum(l, l)).squareRoot() > 0.3)
        #expect(abs(cka.value) < 0.05)
        #expect(abs(try #require(cka.floor)) < 0.02)
        let spread = try #require(cka.spread)
        #expect(spread > 0.002 && spread < 0.05)
        #expect(abs(try #require(found.values[.rsa]).value) < 0.1)
    }

    @Test("the error from halves is what the value varies by from sample to sample")
    func spread() throws {
        var values: [Double] = []
        var spreads: [Double] = []
        for seed in 0..<20 {
            let x = Self.gaussian(80, 8, seed: UInt64(100 + seed))
            let noise = Self.gaussian(80, 8, seed: UInt64(200 + seed))
            let y = Matrix(rows: 80, columns: 8, values: zip(x.values, noise.values).map { $0 + $1 })
            let found = try #require(try Self.measured(x, y).values[.cka])
            values.append(found.value)
            spreads.append(try #require(found.spread))
        }
        let truth = try #require(Halves.spread(values))
        let mean = spreads.reduce(0, +) / 20
        #expect(mean > 0.6 * truth && mean < 1.8 * truth, "\(mean), from sample to sample \(truth)")
    }

    @Test("too few rows a dimension: canonical correlations are refused, the rest is measured")
    func tooFew() throws {
        let found = try Self.measured(Self.gaussian(30, 12, seed: 7), Self.gaussian(30, 12, seed: 8))
        let kept = try #require(
            { if case .tooFewForCorrelation(30, let kept)? = found.refusals[.svcca] { kept } else { nil } }())
        #expect(kept > 6)
        #expect(found.values[.svcca] == nil && found.values[.pwcca] == nil && found.values[.cka] != nil)
    }

    @Test("what can't be measured says why")
    func refusals() throws {
        let good = Self.gaussian(20, 4, seed: 9)
        var bad = good
        bad[3, 2] = .nan
        #expect(throws: GeometryError.notFinite(row: 3, column: 2)) { try Self.measured(good, bad) }
        #expect(throws: GeometryError.rowsDiffer(20, 19)) {
            try Self.measured(good, Matrix(rows: 19, columns: 4, values: Array(good.values.prefix(76))))
        }
        let flat = Matrix(rows: 20, columns: 4, values: [Float](repeating: 2, count: 80))
        #expect(throws: GeometryError.allTheSame(rows: 20)) { try Self.measured(good, flat) }
        #expect(throws: GeometryError.tooFewPoints(found: 3, needed: 4)) {
            let three = Matrix(rows: 3, columns: 4, values: Array(good.values.prefix(12)))
            return try Self.measured(three, three)
        }
        #expect(throws: GeometryError.noCoordinates) {
            try Self.measured(Matrix(rows: 20, columns: 0), Matrix(rows: 20, columns: 0))
        }
        var constant = good
        for column in 0..<4 { constant[7, column] = 0.1 }
        let found = try Self.measured(good, constant)
        #expect(found.refusals[.rsa] == .constantRow(7))
        #expect(found.values[.cka] != nil && found.values[.rsa] == nil)
        // One coordinate: every distance by correlation is of a constant row.
        let line = Self.gaussian(20, 1, seed: 10)
        #expect(try Self.measured(line, line).refusals[.rsa] == .constantRow(0))
        // Values whose squares overflow in f32 are no trouble.
        let huge = Matrix(rows: 20, columns: 4, values: good.values.map { $0 * 1e37 })
        #expect(abs(try #require(try Self.measured(good, huge).values[.cka]).value - 1) < 1e-9)
        // Rows that are 0 have no cosine, and an X that is 0 no relative distance.
        var rows = Matrix(rows: 20, columns: 4)
        rows[0, 0] = 1
        #expect(try #require(try Self.measured(rows, good).values[.cosine]).value.isFinite)
    }

    @Test("what is drawn depends on the seed, not on the number of threads")
    func threads() throws {
        let found = try [1, 3].map { threads in
            let pool = try ThreadPool(threadCount: threads)
            defer { pool.stop() }
            return try SimilarityMeasurement(Self.x, Self.y, seed: 5, pool: pool, control: RunControl())
        }
        #expect(found[0].values == found[1].values)
    }

    @Test("a cancelled comparison throws")
    func cancelled() throws {
        let control = RunControl()
        control.cancel()
        let pool = try ThreadPool(threadCount: 1)
        defer { pool.stop() }
        #expect(throws: CancellationError.self) {
            try SimilarityMeasurement(Self.x, Self.y, seed: 5, pool: pool, control: control)
        }
    }
}
