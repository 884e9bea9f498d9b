import Directions
import Foundation
import LinearAlgebra
import Statistics
import Testing
import Workbench

@Suite("Deflated contrast null")
struct DeflatedContrastNullTests {
    /// 50 is what the figures in the documentation were measured with: NACRE_PLANTED_SEEDS=50.
    private static let seeds = ProcessInfo.processInfo.environment["NACRE_PLANTED_SEEDS"].flatMap { Int($0) } ?? 4

    /// Ranks found for directions planted in the differences of 128 pairs.
    ///
    /// - Parameter energy: of each direction, σ² over that of the noise's first.
    private static func ranks(_ planted: Int, width: Int, energy: Float) throws -> (ranks: [Int], ratio: Double) {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        var ranks: [Int] = []
        var ratio = 0.0
        for seed in 0..<seeds {
            var random = SeededRandom(seed: 1000, stream: seed, planted)
            let noise = RotatedPowerLaw(width: width, random: &random)
            let pairs = 128
            let (positives, negatives) = (noise.sample(pairs, &random), noise.sample(pairs, &random))
            // Each pair has one of the directions: σ² = length² · pairs / planted. The noise's first has about 2 · pairs.
            let axes = (0..<max(planted, 1)).map { _ in RotatedPowerLaw.unit(width, &random) }
            var differences = Matrix(
                rows: pairs, columns: width, values: zip(positives.values, negatives.values).map { $0 - $1 })
            if planted > 0 {
                let length = (energy * 2 * Float(planted)).squareRoot()
                for row in 0..<pairs {
                    for column in 0..<width { differences[row, column] += length * axes[row % planted][column] }
                }
            }
            let found = try DeflatedContrastNull(
                differences: differences, classes: [positives, negatives], seed: UInt64(seed), pool: pool)
            ranks.append(found.rank)
            ratio += (found.steps[0].signalToNoise ?? 0) / Double(seeds)
        }
        return (ranks.sorted(), ratio)
    }

    @Test("nothing planted: nothing found", arguments: [128, 576])
    func nothing(width: Int) throws {
        let (ranks, _) = try Self.ranks(0, width: width, energy: 0)
        print("planted 0, width \(width): ranks \(ranks)")
        // At the 99th percentile all of 50 were 0, at the 95th all but one.
        #expect(ranks.allSatisfy { $0 <= 1 } && ranks.count { $0 > 0 } * 50 <= ranks.count)
    }

    @Test("one planted: one found, at a signal-to-noise ratio of about 3", arguments: [128, 576])
    func one(width: Int) throws {
        let (ranks, ratio) = try Self.ranks(1, width: width, energy: 3)
        print("planted 1, width \(width): ranks \(ranks), signal to noise \(ratio)")
        #expect(ranks.count { $0 == 1 } * 10 >= 9 * ranks.count - 5)
    }

    @Test("three strong ones planted: three found", arguments: [128, 576])
    func three(width: Int) throws {
        let (ranks, ratio) = try Self.ranks(3, width: width, energy: 8)
        print("planted 3, width \(width): ranks \(ranks), signal to noise \(ratio)")
        #expect(ranks[ranks.count / 2] == 3)
        #expect(ranks.allSatisfy { (1...6).contains($0) })
    }

    @Test("what it finds is what was planted, at any number of threads, and in about a second")
    func directions() throws {
        var random = SeededRandom(seed: 4)
        let noise = RotatedPowerLaw(width: 576, random: &random)
        let (positives, negatives) = (noise.sample(256, &random), noise.sample(256, &random))
        let axis = RotatedPowerLaw.unit(576, &random)
        let differences = Matrix(
            rows: 256, columns: 576, values: zip(positives.values, negatives.values).map { $0 - $1 }
        ).shifted(by: axis, times: 4)
        var found: [DeflatedContrastNull] = []
        for threads in [1, 2] {
            let pool = try ThreadPool(threadCount: threads)
            let started = ContinuousClock.now
            found.append(
                try DeflatedContrastNull(
                    differences: differences, classes: [positives, negatives], seed: 1, pool: pool))
            print(
                "n 256, width 576, \(threads) threads, \(found[0].steps.count) steps: \(ContinuousClock.now - started)")
            pool.stop()
        }
        #expect(found[0].steps == found[1].steps)
        #expect(found[0].directions == found[1].directions)
        #expect(found[0].rank == 1)
        #expect(found[0].steps.count == 2 && found[0].steps[0].isAbove && !found[0].steps[1].isAbove)
        #expect(cosine(found[0].directions[0], axis.map(Double.init)) > 0.97)
        #expect(abs(found[0].sizes[0] - found[0].steps[0].sigma / 16) < 1e-9)
    }

    @Test("the first value is the largest singular value, and the null's are those of drawn contrasts")
    func values() throws {
        var random = SeededRandom(seed: 6)
        let (x, rows) = (normal(20, 12, &random), normal(2, 12, &random))
        // Two rows make one contrast and its opposite: each draw has the same singular value, √20 times its length.
        let found = try DeflatedContrastNull(differences: x, classes: [rows], scale: 0.5, draws: 7, seed: 1)
        let truth = try SingularValues(of: x.values.map(Double.init), rows: 20, columns: 12).values
        #expect(abs(found.steps[0].sigma - truth[0]) < 1e-9 * truth[0])
        let contrast = zip(rows.row(0), rows.row(1)).reduce(0.0) {
            $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
        }
        let wanted = 0.5 * (20 * contrast).squareRoot()
        #expect(abs(found.steps[0].nullMedian - wanted) < 1e-6 * wanted)
        #expect(abs(found.steps[0].nullBound - wanted) < 1e-6 * wanted)
    }

    @Test("rows that don't fit are refused")
    func refusals() throws {
        var random = SeededRandom(seed: 7)
        let x = normal(4, 3, &random)
        #expect(throws: DirectionsError.tooFewRows("difference", found: 1, needed: 2)) {
            try DeflatedContrastNull(differences: normal(1, 3, &random), classes: [x], seed: 1)
        }
        #expect(throws: DirectionsError.tooFewRows("contrast", found: 1, needed: 2)) {
            try DeflatedContrastNull(differences: x, classes: [normal(1, 3, &random)], seed: 1)
        }
        #expect(throws: SubspaceError.differentWidths(3, 2)) {
            try DeflatedContrastNull(differences: x, classes: [normal(4, 2, &random)], seed: 1)
        }
    }
}
