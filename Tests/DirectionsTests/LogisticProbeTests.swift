import Control
import Directions
import LinearAlgebra
import Statistics
import Testing

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

@Suite("Logistic probe")
struct LogisticProbeTests {
    /// The gradient of -Σ ln p(label) + λ|w|²/2 over w and b, by its definition; λ as the probe documents it.
    private static func gradient(_ probe: LogisticProbe, _ positives: Matrix, _ negatives: Matrix) -> (
        largest: Double, scale: Double
    ) {
        let width = positives.columns
        let rows =
            (0..<positives.rows).map { (positives.row($0).map(Double.init), 1.0) }
            + (0..<negatives.rows).map { (negatives.row($0).map(Double.init), 0.0) }
        var mean = [Double](repeating: 0, count: width)
        for (x, _) in rows { for column in 0..<width { mean[column] += x[column] / Double(rows.count) } }
        var square = 0.0
        for (x, _) in rows {
            for column in 0..<width { square += (x[column] - mean[column]) * (x[column] - mean[column]) }
        }
        let lambda = probe.penalty * square / Double(rows.count)
        var gradient = probe.direction.map { lambda * $0 }
        var intercept = 0.0
        var scale = 0.0
        for (x, label) in rows {
            let logit = zip(x, probe.direction).reduce(probe.intercept) { $0 + $1.0 * $1.1 }
            let error = 1 / (1 + exp(-logit)) - label
            intercept += error
            for column in 0..<width {
                gradient[column] += error * x[column]
                scale += abs(error * x[column]) / Double(width)
            }
        }
        return ((gradient + [intercept]).map(abs).max() ?? 0, scale)
    }

    @Test("the probe is where the penalised loss is lowest", arguments: [20, 300])
    func minimum(width: Int) throws {
        var random = SeededRandom(seed: 11)
        let noise = RotatedPowerLaw(width: width, random: &random)
        let axis = RotatedPowerLaw.unit(width, &random)
        let far = RotatedPowerLaw.unit(width, &random)
        let positives = noise.sample(70, &random).shifted(by: axis, times: 1).shifted(by: far, times: 30)
        let negatives = noise.sample(50, &random).shifted(by: far, times: 30)
        let probe = try LogisticProbe(
            try LabelledRows(positives: positives, negatives: negatives), seed: 1, control: RunControl())
        let (largest, scale) = Self.gradient(probe, positives, negatives)
        #expect(largest < 1e-5 * scale)
        #expect(cosine(probe.direction, axis.map(Double.init)) > 0)
    }

    @Test("it finds what a difference in means can't: a direction hidden under stronger noise")
    func whitens() throws {
        var random = SeededRandom(seed: 12)
        // The classes differ by (3, 1) where noise of deviation 20 lies along (1, 0): the second coordinate tells them apart.
        func sample(_ count: Int, _ shift: Float) -> Matrix {
            var rows = normal(count, 2, &random)
            for row in 0..<count {
                rows[row, 0] = 20 * rows[row, 0] + 3 * shift
                rows[row, 1] = 0.2 * rows[row, 1] + shift
            }
            return rows
        }
        let rows = try LabelledRows(positives: sample(150, 1), negatives: sample(150, 0))
        let probe = try LogisticProbe(rows, penalty: 1e-3, seed: 1, control: RunControl())
        #expect(try #require(probe.heldOut.accuracy.value) > 0.9)
        #expect(abs(probe.direction[1]) > 5 * abs(probe.direction[0]))
        let means = try DifferenceInMeans.heldOut(rows, seed: 1, control: RunControl())
        #expect(try #require(means.accuracy.value) < 0.75)
    }

    @Test("without a difference it is right half the time, and so are shuffled labels")
    func null() throws {
        var random = SeededRandom(seed: 13)
        let noise = RotatedPowerLaw(width: 256, random: &random)
        let rows = try LabelledRows(positives: noise.sample(100, &random), negatives: noise.sample(100, &random))
        let probe = try LogisticProbe(rows, seed: 1, control: RunControl())
        // Three standard deviations of a share of 200.
        #expect(abs(try #require(probe.heldOut.accuracy.value) - 0.5) < 0.11)
        #expect(abs(try #require(probe.heldOut.shuffledAccuracy?.value) - 0.5) < 0.11)
        #expect(probe.heldOut.auc.interval.contains(0.5))
    }
}
