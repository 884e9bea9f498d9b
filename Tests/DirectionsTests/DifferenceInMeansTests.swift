import Control
import Directions
import LinearAlgebra
import Statistics
import Testing
import Workbench

@Suite("Difference in means")
struct DifferenceInMeansTests {
    @Test("the direction is the difference of the means, unnormalised, and the ratio is the formula's")
    func formula() throws {
        let rows = try LabelledRows(
            positives: Matrix(rows: 2, columns: 2, values: [5, 1, 7, 3]),
            negatives: Matrix(rows: 3, columns: 2, values: [0, 0, 1, 0, 2, 3]))
        let found = DifferenceInMeans(rows)
        #expect(found.positiveMean == [6, 2])
        #expect(found.negativeMean == [1, 1])
        #expect(found.direction == [5, 1])
        #expect((found.positives, found.negatives) == (2, 3))
        // Squares about the means: 4 of the positives, 2 + 6 of the negatives; 3 degrees of freedom.
        let noise = (4.0 + 8.0) / 3 * (1.0 / 2 + 1.0 / 3)
        #expect(abs(found.signalToNoise! - 26 / noise) < 1e-12)
    }

    @Test("without a difference the ratio is 1 on average, and held-out rows are told apart half the time")
    func null() throws {
        var ratios = 0.0
        var right = 0
        let seeds = 40
        for seed in 0..<seeds {
            var random = SeededRandom(seed: UInt64(seed))
            let noise = RotatedPowerLaw(width: 64, random: &random)
            let rows = try LabelledRows(
                positives: noise.sample(40, &random), negatives: noise.sample(30, &random))
            ratios += try #require(DifferenceInMeans(rows).signalToNoise) / Double(seeds)
            right += try DifferenceInMeans.heldOut(rows, seed: 1, shuffles: false, control: RunControl())
                .accuracy.successes
        }
        // The ratio's standard deviation is below 0.7 (effective dimension 8), that of the mean below 0.11.
        #expect(abs(ratios - 1) < 0.3)
        #expect(abs(Double(right) / Double(seeds * 70) - 0.5) < 0.05)
    }

    @Test("a planted difference is found, and tells held-out rows apart; shuffled labels don't")
    func planted() throws {
        var random = SeededRandom(seed: 5)
        let noise = RotatedPowerLaw(width: 64, random: &random)
        let planted = RotatedPowerLaw.unit(64, &random)
        let rows = try LabelledRows(
            positives: noise.sample(100, &random).shifted(by: planted, times: 4), negatives: noise.sample(80, &random))
        let found = DifferenceInMeans(rows)
        #expect(cosine(found.direction, planted.map(Double.init)) > 0.98)
        #expect(try #require(found.signalToNoise) > 20)
        let heldOut = try DifferenceInMeans.heldOut(rows, seed: 1, control: RunControl())
        #expect(heldOut.folds == 5)
        #expect(heldOut.accuracy.trials == 180)
        #expect(try #require(heldOut.accuracy.value) > 0.95)
        #expect(heldOut.auc.value > 0.98)
        #expect(try #require(heldOut.shuffledAccuracy?.wilsonInterval()).contains(0.5))
        #expect(try DifferenceInMeans.heldOut(rows, seed: 1, control: RunControl()) == heldOut)
    }

    @Test("rows that can't be compared are refused, each for its reason")
    func refusals() throws {
        let rows = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4])
        let others = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 5])
        #expect(throws: DirectionsError.emptyClass("negative")) {
            try LabelledRows(positives: rows, negatives: Matrix(rows: 0, columns: 2))
        }
        #expect(throws: DirectionsError.tooFewRows("positive", found: 1, needed: 2)) {
            try LabelledRows(positives: Matrix(rows: 1, columns: 2), negatives: rows)
        }
        #expect(throws: SubspaceError.differentWidths(2, 3)) {
            try LabelledRows(positives: rows, negatives: Matrix(rows: 2, columns: 3))
        }
        #expect(throws: SubspaceError.notFiniteRow("negative", row: 1)) {
            try LabelledRows(positives: rows, negatives: Matrix(rows: 2, columns: 2, values: [1, 2, .infinity, 4]))
        }
        #expect(throws: DirectionsError.identicalClasses) { try LabelledRows(positives: rows, negatives: rows) }
        #expect(throws: SubspaceError.differentCounts(2, 3)) {
            try PairedPrincipalDirections(
                try LabelledRows(positives: others, negatives: Matrix(rows: 3, columns: 2)), count: 1)
        }
    }
}
