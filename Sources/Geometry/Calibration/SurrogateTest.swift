package import Control
package import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Whether neighbours lie closer together than second moments say: TwoNN of the points over TwoNN of Gaussian samples of
/// the same covariance, held against what the same quotient is for such samples themselves.
///
/// The sample covariance of few points in many dimensions is over-dispersed, so that the quotient of white noise is well
/// above 1: only its own null tells.
package struct SurrogateTest: Sendable, Equatable {
    /// TwoNN of the points, of their surrogates (geometric mean), and the quotient.
    package let points: Double
    package let surrogate: Double
    package var ratio: Double { points / surrogate }
    /// The quotient's null: surrogates over surrogates of their own; geometric mean and the standard deviation of its
    /// logarithm.
    package let nullRatio: Double
    package let nullDeviation: Double
    /// Surrogates, each with one of its own.
    package let repetitions: Int

    /// At least 90 % of the quotient under its null: the surrogates share the points' own, so that its spread is a little
    /// overstated.
    package var nullSpread: ClosedRange<Double> {
        let factor = exp(
            Self.quantile(repetitions - 1) * nullDeviation * (1 + 1 / Double(repetitions)).squareRoot())
        return nullRatio / factor...nullRatio * factor
    }

    /// Standard errors that the quotient's logarithm lies above its null; about Student's t with `repetitions` - 1
    /// degrees of freedom under the null.
    package var score: Double {
        let spread = nullDeviation * (1 + 1 / Double(repetitions)).squareRoot()
        return spread > 0 ? log(ratio / nullRatio) / spread : 0
    }

    /// Below its null at the 5 % level, one-sided: nearer neighbours than any Gaussian of this covariance has.
    package var isBelowNull: Bool { score < -Self.quantile(repetitions - 1) }
    /// Not told from its null at the 5 % level, one-sided.
    package var isAtNull: Bool { !isBelowNull }

    /// The 95th percentile of Student's t, within 0.005 for 4 degrees of freedom and more (Cornish and Fisher 1938).
    private static func quantile(_ freedom: Int) -> Double {
        let (z, v) = (1.644854, Double(max(1, freedom)))
        let (z3, z5) = (z * z * z, z * z * z * z * z)
        let third = (3 * z5 * z * z + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v)
        return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) + third
    }

    /// - Parameters:
    ///   - set: N points, at least 10.
    ///   - twoNN: their own estimate.
    ///   - seed: of the surrogates.
    /// - Throws: `GeometryError`, `CancellationError`.
    package init(
        _ set: PointSet, twoNN: Double, repetitions: Int = 8, seed: UInt64, pool: ThreadPool, control: RunControl
    ) throws {
        guard set.count >= 10 else { throw GeometryError.tooFewPoints(found: set.count, needed: 10) }
        precondition(repetitions >= 2, "a null needs two surrogates")
        let first = try GaussianSurrogate(set.points, mean: set.mean)
        var pairs = [(log: Double, quotient: Double)](repeating: (0, 0), count: repetitions)
        try pairs.withUnsafeMutableBufferPointer { pairs in
            nonisolated(unsafe) let pairs = pairs
            // A repetition is a task, on a thread of its own: half of one is in steps that don't divide.
            try pool.run(tasks: repetitions) { repetition, _ in
                let alone = try ThreadPool(threadCount: 1, level: pool.level)
                defer { alone.stop() }
                var random = SeededRandom(seed: seed, stream: repetition)
                let sample = try PointSet(first.sample(&random, pool: alone, control: control))
                let again = try GaussianSurrogate(sample.points, mean: sample.mean)
                let second = try PointSet(again.sample(&random, pool: alone, control: control))
                let logs = try [sample, second].map { set in
                    let search = try NeighbourSearch(set, k: 2, exactRanks: 2, pool: alone, control: control)
                    return log(try TwoNN.estimate(search.neighbours).slope)
                }
                pairs[repetition] = (logs[0], logs[0] - logs[1])
            }
        }
        let (logs, quotients) = (pairs.map(\.log), pairs.map(\.quotient))
        let count = Double(repetitions)
        let mean = quotients.reduce(0, +) / count
        points = twoNN
        surrogate = exp(logs.reduce(0, +) / count)
        nullRatio = exp(mean)
        nullDeviation = (quotients.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
        self.repetitions = repetitions
    }
}
