package import Control
package import LinearAlgebra
import Statistics

/// Whether tuning changed the dimension of one set of rows otherwise than that of another: [d(first) - d(second)] after,
/// minus the same before, d the debiased participation ratio, both sets of one size.
///
/// A plain difference d(first) - d(second) is there whenever one set is more homogeneous than the other, tuned or not; it
/// cancels here.
package struct DifferenceInDifferences: Sendable, Equatable {
    package let before: PairedKernel.Dimensions
    package let after: PairedKernel.Dimensions
    /// 95 %: 1.96 standard deviations over random halves of the pairs, which vary about the whole as much as the whole
    /// varies about the truth (Politis and Romano 1994), times `widening`.
    package let interval: ClosedRange<Double>
    /// 2.5th and 97.5th percentiles of the permutations.
    package let null: ClosedRange<Double>
    /// Share of permutations, the sets themselves among them, that are at least as far from 0 (two-sided; Davison and
    /// Hinkley 1997, eq. 4.11).
    package let p: Double
    package let pairs: Int
    package let permutations: Int

    package var value: Double { after.difference - before.difference }

    /// d(first) after, minus d(first) before: what happened to the first set, whatever happened to the second.
    package var own: Double { after.first - before.first }
    /// Of `own`, as `interval` is of `value`.
    package let ownInterval: ClosedRange<Double>

    /// Random halves for the interval.
    private static let halves = 200

    /// Rows of a pair trade places in the permutations, in both models alike; each set's mean is taken off beforehand, as
    /// the participation ratio does by itself, so that a mixed set has no direction between the sets' means.
    ///
    /// - Parameters:
    ///   - before: rows of both sets in one model; row i of the one is paired with row i of the other.
    ///   - after: the same rows in the other model.
    ///   - widening: what the interval's half width is multiplied by, at least 1.
    /// - Throws: `GeometryError`; `CancellationError`.
    package init(
        before: (first: Matrix, second: Matrix), after: (first: Matrix, second: Matrix), permutations: Int,
        widening: Double = 1, seed: UInt64, pool: ThreadPool, control: RunControl
    ) throws {
        precondition(permutations > 0 && widening >= 1, "\(permutations) permutations, widening \(widening)")
        precondition(before.first.rows == after.first.rows, "the same rows in both models")
        let kernels = [try PairedKernel(before.first, before.second), try PairedKernel(after.first, after.second)]
        try control.checkCancellation()
        self.before = try kernels[0].dimensions()
        self.after = try kernels[1].dimensions()
        let pairs = before.first.rows
        self.pairs = pairs
        self.permutations = permutations
        let value = self.after.difference - self.before.difference

        let null = try Self.draws(permutations, pool, control) { draw in
            var random = SeededRandom(seed: seed, .tradedPairs, draw)
            var bits: UInt64 = 0
            let traded = (0..<pairs).map { pair in
                if pair % 64 == 0 { bits = random.next() }
                return bits >> UInt64(pair % 64) & 1 == 1
            }
            return try kernels[1].dimensions(traded: traded).difference
                - kernels[0].dimensions(traded: traded).difference
        }
        p = Double(1 + null.count { abs($0) >= abs(value) }) / Double(1 + permutations)
        let sorted = null.sorted()
        // So many of either end are left out.
        let tail = Int(0.025 * Double(permutations))
        self.null = sorted[tail]...sorted[permutations - 1 - tail]

        let halves = try Self.draws(Self.halves, pool, control) { draw in
            var random = SeededRandom(seed: seed, .halvedPairs, draw)
            let kept = random.sample(pairs / 2, of: pairs)
            let (before, after) = (try kernels[0].dimensions(of: kept), try kernels[1].dimensions(of: kept))
            return (difference: after.difference - before.difference, own: after.first - before.first)
        }
        func interval(_ value: Double, _ halves: [Double]) -> ClosedRange<Double> {
            let mean = halves.reduce(0, +) / Double(halves.count)
            let variance = halves.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(halves.count - 1)
            // Of an odd number a half is a little less than half.
            let (kept, left) = (Double(pairs / 2), Double(pairs - pairs / 2))
            let half = widening * Proportion.z95 * (variance * kept / left).squareRoot()
            return value - half...value + half
        }
        self.interval = interval(value, halves.map(\.difference))
        ownInterval = interval(self.after.first - self.before.first, halves.map(\.own))
    }

    /// What draws give, each of which depends on its place alone.
    private static func draws<Value>(
        _ count: Int, _ pool: ThreadPool, _ control: RunControl, _ body: (Int) throws -> Value
    ) throws -> [Value] {
        var values = [Value?](repeating: nil, count: count)
        try values.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let values = buffer
            try pool.run(tasks: count) { draw, _ in
                try control.checkCancellation()
                values[draw] = try body(draw)
            }
        }
        return values.compactMap(\.self)
    }
}
