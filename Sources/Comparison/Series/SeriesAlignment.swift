import Control
import Geometry
package import LinearAlgebra
import Statistics
package import Workbench

/// The debiased linear CKA of each checkpoint's rows with those of the first, of the one before, and of the last.
package struct SeriesAlignment {
    /// The rows of each checkpoint, [rows, width]; widths may differ.
    private let rows: [Matrix]
    private let seed: UInt64
    private let context: RunContext
    /// The places of the rows of each half that is drawn.
    private let halves: [[Int]]
    /// Random orders of the rows, which give the floor.
    private let orders: [[Int]]

    /// The largest number of rows; of more, so many are taken evenly spaced, because kernels grow with their square.
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

    /// A value over all rows, with the values over their halves.
    private struct Found {
        let value: Double
        let halves: [Double?]
    }

    /// Computes the similarities along the series.
    ///
    /// - Parameter step: runs the work of one checkpoint as a step of the study.
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

    /// Returns the similarity of two checkpoints, over all rows and over the halves.
    ///
    /// - Returns: nil for rows for which CKA is not defined.
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

    /// Returns the mean similarity over rows that are paired at random.
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
