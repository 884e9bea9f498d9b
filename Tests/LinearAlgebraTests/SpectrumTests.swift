import Control
import LinearAlgebra
import Statistics
import Testing

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

@Suite struct GramSpectrumTests {
    private func spectrum(_ values: [Double], _ rows: Int, _ columns: Int) throws -> [Double] {
        try GramSpectrum(rows: rows, columns: columns, control: RunControl()) { first, target in
            _ = target.update(fromContentsOf: values[first..<first + target.count])
        }.eigenvalues
    }

    @Test func knownSingularValues() throws {
        // diag(3, 2) beside zeros, tall and wide.
        #expect(try spectrum([3, 0, 0, 2, 0, 0], 3, 2).map { ($0 * 1e9).rounded() / 1e9 } == [9, 4])
        #expect(try spectrum([3, 0, 0, 0, 2, 0], 2, 3).map { ($0 * 1e9).rounded() / 1e9 } == [9, 4])
        #expect(try spectrum([2, 2, 2], 1, 3) == [12])
        #expect(try spectrum([1, 1, 1, 1], 2, 2).last == 0)
    }

    /// More than one block of either orientation, against the Gram matrix of the whole.
    @Test(arguments: [(40_000, 60), (60, 40_000), (500, 500)])
    func blocksAddUp(rows: Int, columns: Int) throws {
        var random = SeededRandom(seed: 3)
        let values = random.normal(count: rows * columns)
        let gram =
            rows >= columns
            ? Gram.columns(values, rows: rows, columns: columns) : Gram.rows(values, rows: rows, columns: columns)
        let expected = try SymmetricEigen(of: gram, size: min(rows, columns), vectors: false).values
        let found = try spectrum(values, rows, columns)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 * expected[0] })
        #expect(found.count == min(rows, columns))
    }

    @Test func gaussiansDependOnSeedAndShape() throws {
        func gaussian(_ rows: Int, _ columns: Int, _ seed: UInt64) throws -> [Double] {
            try GramSpectrum(gaussianRows: rows, columns: columns, seed: seed, control: RunControl()).eigenvalues
        }
        #expect(try gaussian(30, 20, 1) == gaussian(20, 30, 1))
        #expect(try gaussian(30, 20, 1) != gaussian(30, 20, 2))
        // Marchenko and Pastur 1967: between (sqrt m - sqrt n)^2 and (sqrt m + sqrt n)^2, nearly.
        let found = try gaussian(900, 400, 0)
        #expect(found[0] < 2500 * 1.05 && found[0] > 2500 * 0.95)
        #expect(found[399] > 100 * 0.8 && found[399] < 100 * 1.3)
        #expect(abs(found.reduce(0, +) / 360_000 - 1) < 0.02)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(value: Double) {
        #expect(throws: LinearAlgebraError.notFinite) { try spectrum([1, 2, value, 4, 5, 6], 2, 3) }
        #expect(throws: LinearAlgebraError.notFinite) { try spectrum([1, 2, value, 4, 5, 6], 3, 2) }
    }

    @Test func cancelling() {
        let control = RunControl()
        control.cancel()
        #expect(throws: CancellationError.self) {
            try GramSpectrum(gaussianRows: 3, columns: 3, seed: 0, control: control)
        }
    }
}

@Suite struct PowerLawTailTests {
    /// Clauset et al.'s recipe step by step, every beginning tried against every value.
    private func naive(_ values: [Double], least: Int) -> (alpha: Double, count: Int, distance: Double)? {
        var best: (alpha: Double, count: Int, distance: Double)?
        for start in Set(values).sorted(by: >) {
            let tail = values.filter { $0 >= start }.sorted()
            guard tail.count >= least, tail.first != tail.last else { continue }
            let alpha = 1 + Double(tail.count) / tail.reduce(0) { $0 + log($1 / start) }
            var distance = 0.0
            for (index, value) in tail.enumerated() {
                let share = 1 - pow(value / start, 1 - alpha)
                for step in [index, index + 1] {
                    distance = max(distance, abs(share - Double(step) / Double(tail.count)))
                }
            }
            if best.map({ distance < $0.distance }) ?? true { best = (alpha, tail.count, distance) }
        }
        return best
    }

    @Test(arguments: 0..<6)
    func asByDefinition(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        // A power law above 1 and something else below; rounded, so that some are equal.
        let values = (0..<150).map { index -> Double in
            let x = index % 3 == 0 ? random.uniform() : pow(random.uniform(), -1 / (1 + Double(seed) / 2))
            return seed % 2 == 0 ? x : (x * 20).rounded(.up) / 20
        }
        let found = try #require(PowerLawTail(values))
        let expected = try #require(naive(values, least: 10))
        #expect(found.count == expected.count)
        #expect(abs(found.alpha - expected.alpha) < 1e-9 * expected.alpha)
        #expect(abs(found.distance - expected.distance) < 1e-9)
    }

    @Test(arguments: [1.5, 2.0, 2.5, 3.5])
    func plantedExponents(alpha: Double) throws {
        var random = SeededRandom(seed: 11)
        let values = (0..<4000).map { index in
            index < 1000 ? random.uniform() : pow(random.uniform(), -1 / (alpha - 1))
        }
        let found = try #require(PowerLawTail(values))
        #expect(abs(found.alpha - alpha) < 4 * found.standardError)
        #expect(found.count > 500)
        #expect(found.threshold > 0.5 && found.distance < 0.05)
    }

    @Test func scaleChangesNothing() throws {
        var random = SeededRandom(seed: 5)
        let values = (0..<200).map { _ in pow(random.uniform(), -0.7) }
        let one = try #require(PowerLawTail(values))
        let other = try #require(PowerLawTail(values.map { $0 * 1024 }))
        #expect(abs(one.alpha - other.alpha) < 1e-9 && one.count == other.count)
    }

    @Test func whereThereIsNone() {
        #expect(PowerLawTail([]) == nil)
        #expect(PowerLawTail([1, 2, 3]) == nil)
        #expect(PowerLawTail([Double](repeating: 3, count: 100)) == nil)
        #expect(PowerLawTail([Double](repeating: 0, count: 100)) == nil)
        #expect(PowerLawTail([.nan, -1, 0, .infinity] + (1...9).map(Double.init)) == nil)
        #expect(PowerLawTail((1...10).map(Double.init)) != nil)
    }
}
