import Control
import Geometry
import LinearAlgebra
import Statistics
import Testing

@Suite("Difference in differences of dimensions")
struct DifferenceInDifferencesTests {
    private func pool() throws -> ThreadPool { try ThreadPool(threadCount: 2) }

    private func tested(
        _ before: (first: Matrix, second: Matrix), _ after: (first: Matrix, second: Matrix), seed: UInt64 = 1,
        widening: Double = 1, permutations: Int = 300
    ) throws -> DifferenceInDifferences {
        let pool = try pool()
        defer { pool.stop() }
        return try DifferenceInDifferences(
            before: before, after: after, permutations: permutations, widening: widening, seed: seed, pool: pool,
            control: RunControl())
    }

    private func flat(_ dimension: Int, seed: UInt64, count: Int = 300) -> Matrix {
        flatGaussian(count, dimension: dimension, width: 64, seed: seed)
    }

    @Test("a class that fell from 20 dimensions to 8, beside one that stayed at 30: -12")
    func planted() throws {
        let other = flat(30, seed: 2)
        let found = try tested((flat(20, seed: 1), other), (flat(8, seed: 1), other))
        #expect(abs(found.value + 12) < 2, "\(found.value)")
        #expect(found.interval.contains(-12) && found.interval.upperBound < 0)
        #expect(found.p < 0.01)
        #expect(found.null.lowerBound < 0 && found.null.upperBound > 0 && found.null.lowerBound > found.value)
    }

    @Test("a homogeneous class that tuning did to as to all others is no finding, whatever its dimension")
    func unchanged() throws {
        var random = SeededRandom(seed: 9)
        var rejected = 0
        for trial in 0..<20 {
            let first = flat(3, seed: UInt64(100 + trial), count: 120)
            let second = flat(30, seed: UInt64(200 + trial), count: 120)
            // Tuning moves every row of either set by a little noise of one kind.
            func moved(_ rows: Matrix) -> Matrix {
                Matrix(
                    rows: rows.rows, columns: rows.columns,
                    values: zip(rows.values, random.normal(count: rows.values.count)).map { $0 + 0.02 * Float($1) })
            }
            let found = try tested(
                (first, second), (moved(first), moved(second)), seed: UInt64(trial), permutations: 200)
            // Its dimension alone is far below the others': that is not what is tested.
            #expect(found.before.difference < -15 && abs(found.value) < 1)
            if found.p <= 0.05, !found.interval.contains(0) { rejected += 1 }
        }
        #expect(rejected <= 3, "\(rejected) of 20")
    }

    @Test("a model beside itself differs by 0, exactly")
    func same() throws {
        let sets = (first: flat(5, seed: 1), second: flat(20, seed: 2))
        let found = try tested(sets, sets)
        #expect(found.value == 0 && found.interval == 0...0 && found.null == 0...0 && found.p == 1)
    }

    @Test("sets made by trading places are those that a copy of their rows gives")
    func trading() throws {
        let (first, second) = (flat(6, seed: 3, count: 40), flat(11, seed: 4, count: 40))
        let traded = (0..<40).map { $0 % 3 == 0 }
        // About the sets' means, as the test has it.
        func centred(_ rows: Matrix) -> Matrix {
            let mean = rows.columnMeans
            return Matrix(
                rows: rows.rows, columns: rows.columns,
                values: rows.values.enumerated().map { Float(Double($1) - mean[$0 % rows.columns]) })
        }
        let (a, b) = (centred(first), centred(second))
        var (mixedA, mixedB) = (a, b)
        for pair in 0..<40 where traded[pair] {
            for column in 0..<a.columns {
                mixedA[pair, column] = b[pair, column]
                mixedB[pair, column] = a[pair, column]
            }
        }
        func ratio(_ rows: Matrix) throws -> Double {
            var kernel = PatchKernel()
            kernel.fill(rows, members: (0..<Int32(rows.rows)).map { $0 }[...])
            return try DebiasedParticipationRatio(kernel).dimension()
        }
        let kernel = try PairedKernel(first, second)
        let found = try kernel.dimensions(traded: traded)
        let (ratioA, ratioB) = (try ratio(mixedA), try ratio(mixedB))
        #expect(abs(found.first - ratioA) < 1e-4 && abs(found.second - ratioB) < 1e-4)
        // And of some of the pairs.
        let kept = (0..<40).filter { $0 % 4 != 0 }
        let half = try kernel.dimensions(of: kept)
        let (halfA, halfB) = (
            try ratio(first.selecting(kept.map(Int32.init))), try ratio(second.selecting(kept.map(Int32.init)))
        )
        #expect(abs(half.first - halfA) < 1e-4 && abs(half.second - halfB) < 1e-4)
    }

    @Test("widening widens, threads change nothing")
    func widening() throws {
        let before = (first: flat(5, seed: 1, count: 60), second: flat(20, seed: 2, count: 60))
        let after = (first: flat(4, seed: 1, count: 60), second: flat(20, seed: 2, count: 60))
        let (one, two) = (try tested(before, after), try tested(before, after, widening: 2))
        let lengths = [one, two].map { $0.interval.upperBound - $0.interval.lowerBound }
        #expect(abs(lengths[1] - 2 * lengths[0]) < 1e-9 && one.p == two.p)
        let single = try ThreadPool(threadCount: 1)
        let alone = try DifferenceInDifferences(
            before: before, after: after, permutations: 300, seed: 1, pool: single, control: RunControl())
        #expect(alone == one)
    }

    @Test("rows without variance, of other widths or with NaN are refused")
    func refused() throws {
        let rows = flat(5, seed: 1, count: 20)
        let constant = Matrix(rows: 20, columns: 64, values: Array(repeating: 0.3, count: 20 * 64))
        #expect(throws: GeometryError.noVariance) { try tested((rows, constant), (rows, constant)) }
        let narrow = flatGaussian(20, dimension: 2, width: 8, seed: 1)
        #expect(throws: GeometryError.widthsDiffer(64, 8)) { try tested((rows, narrow), (rows, narrow)) }
        var bad = rows
        bad[3, 5] = .nan
        #expect(throws: GeometryError.notFinite(row: 3, column: 5)) { try tested((bad, rows), (rows, rows)) }
        let few = flat(5, seed: 1, count: 3)
        #expect(throws: GeometryError.tooFewPoints(found: 3, needed: 4)) { try tested((few, few), (few, few)) }
    }

    @Test("cancelled")
    func cancelled() throws {
        let control = RunControl()
        control.cancel()
        let sets = (first: flat(5, seed: 1, count: 20), second: flat(5, seed: 2, count: 20))
        let pool = try pool()
        #expect(throws: CancellationError.self) {
            try DifferenceInDifferences(
                before: sets, after: sets, permutations: 100, seed: 1, pool: pool, control: control)
        }
    }
}
