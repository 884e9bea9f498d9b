import Control
import Geometry
package import LinearAlgebra
import Statistics
package import Workbench

/// The similarity (debiased linear CKA) of each checkpoint's activations with those of the series' first checkpoint, of
/// the one before, and of the last.
package struct SeriesAlignment {
    /// The activations of each checkpoint of the series, [rows, width]; widths may differ.
    private let rows: [Matrix]
    private let seed: UInt64
    private let context: RunContext
    /// For each randomly drawn half of the rows of activations, the indices of its rows; they give the standard errors.
    private let halves: [[Int]]
    /// Random orders of the rows of activations; pairing rows by them gives the floor, the similarity of unrelated
    /// rows.
    private let orders: [[Int]]

    /// The largest number of rows of activations; of more, so many are taken evenly spaced, because kernel matrices
    /// grow with their square.
    package static let mostRows = 2048

    package init(_ rows: [Matrix], seed: UInt64, _ context: RunContext) {
        let count = rows[0].rows
        let kept = min(count, Self.mostRows)
        let places = (0..<kept).map { Int32($0 * count / kept) }
        self.rows = kept == count ? rows : rows.map { $0.selecting(places) }
        self.seed = seed
        self.context = context
        let drawn = Halves(count: kept)
        halves = (0..<(drawn.canBeDrawn ? SeriesRun.draws : 0)).map { draw in
            var random = SeededRandom(seed: seed, .seriesHalves, draw)
            return drawn.draw(&random).rows
        }
        orders = (0..<SeriesRun.draws).map { draw in
            var random = SeededRandom(seed: seed, .seriesOrders, draw)
            return Array(0..<kept).shuffled(using: &random)
        }
    }

    /// The similarity of two checkpoints over all rows of activations, with those over each half of the rows.
    private struct Found {
        let value: Double
        let halves: [Double?]
    }

    /// Returns the curve of so many checkpoints whose activations are too few to be compared.
    static func unmeasured(_ count: Int) -> SeriesCurve {
        let none = [SeriesCurve.Estimate?](repeating: nil, count: count)
        return SeriesCurve(
            name: "cka", values: nil, toFirst: none, toBefore: none, toLast: none, isSimilarity: true,
            floors: none.map { _ in nil })
    }

    /// Computes the similarities of the checkpoints' activations along the series.
    ///
    /// - Parameter step: runs the work of one checkpoint that it is given, as one step of the study's progress.
    package func curve(_ step: (() throws -> Void) throws -> Void) throws -> SeriesCurve {
        let last = rows.count - 1
        let (start, end) = (try kernel(0), try kernel(last))
        var before = start
        var curve = SeriesCurve(name: "cka", values: nil, toFirst: [], toBefore: [], toLast: [], isSimilarity: true)
        var distances: [Found?] = []
        var floors: [Double?] = []
        for index in rows.indices {
            try step {
                let here = index == 0 ? start : index == last ? end : try kernel(index)
                let first = index == 0 ? nil : try found(here, start)
                curve.toFirst.append(first.map(Self.estimate))
                curve.toBefore.append(index == 0 ? nil : try found(here, before).map(Self.estimate))
                let towards = index == last ? nil : try found(here, end)
                curve.toLast.append(towards.map(Self.estimate))
                distances.append(towards)
                floors.append(index == last ? nil : try floor(here, end))
                before = here
            }
        }
        curve.floors = floors
        curve.approach = (1..<max(1, last)).compactMap { index in
            guard let one = distances[index - 1], let other = distances[index] else { return nil }
            let parts = zip(one.halves, other.halves).compactMap { x, y in x.flatMap { x in y.map { x - $0 } } }
            // The distance 1 - CKA falls where CKA rises.
            return .init(
                one.value - other.value,
                standardError: parts.count >= SeriesRun.draws / 2 ? Halves.spread(parts) : nil)
        }
        return curve
    }

    private static func estimate(_ found: Found) -> SeriesCurve.Estimate {
        let parts = found.halves.compactMap(\.self)
        return .init(
            found.value, standardError: parts.count >= SeriesRun.draws / 2 ? Halves.spread(parts) : nil)
    }

    private func kernel(_ index: Int) throws -> CentredKernel { CentredKernel(try CentredRows(rows[index])) }

    /// Returns the similarity of two checkpoints' activations, over all rows and over each half of them.
    ///
    /// - Returns: nil if CKA is not defined for these activations.
    private func found(_ a: CentredKernel, _ b: CentredKernel) throws -> Found? {
        guard let whole = try? LinearCKA(a, b).value else { return nil }
        var parts = [Double?](repeating: nil, count: halves.count)
        try parts.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try context.pool.run(tasks: halves.count) { task, _ in
                try context.control.checkCancellation()
                results[task] = try? LinearCKA(a.selecting(halves[task]), b.selecting(halves[task])).value
            }
        }
        return Found(value: whole, halves: parts)
    }

    /// Returns the mean similarity of two checkpoints' activations when their rows are paired at random.
    private func floor(_ a: CentredKernel, _ b: CentredKernel) throws -> Double? {
        guard let alignment = try? LinearCKA(a, b) else { return nil }
        var sum = 0.0
        for order in orders {
            try context.control.checkCancellation()
            sum += alignment.value(order: order)
        }
        return sum / Double(orders.count)
    }
}
