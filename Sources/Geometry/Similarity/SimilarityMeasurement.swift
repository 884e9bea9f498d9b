package import Control
package import LinearAlgebra
import Statistics

/// Two sets of paired rows, such as one site of two models on the same tokens, compared by every measure.
///
/// Intervals come from halves of the rows drawn without replacement, floors from rows paired at random; both depend on
/// the seed alone, not on the number of threads.
package struct SimilarityMeasurement: Sendable {
    package let count: Int
    package let widths: (x: Int, y: Int)
    package let values: [SimilarityMeasure: MeasuredSimilarity]
    /// Why a measure has no value, where it has none and one was to be expected.
    package let refusals: [SimilarityMeasure: GeometryError]
    /// Dimensions that hold 99 % of the variance, which canonical correlations are taken of; nil if there are none.
    package let kept: (x: Int, y: Int)?

    /// Coordinates of largest variance that CKA leaves out.
    package static let rogueCount = 3
    /// Halves, and pairings at random.
    package static let draws = 40

    /// - Parameters:
    ///   - x: [N, D], N >= 4.
    ///   - y: [N, D'], row by row what is to be compared.
    ///   - groups: of each row, such as its prompt: rows of one group stay together in halves.
    /// - Throws: `GeometryError` for sets of different sizes, too few rows, NaN and Inf, and a set all of whose rows are
    ///   the same; `LinearAlgebraError`; `CancellationError`.
    package init(
        _ x: Matrix, _ y: Matrix, groups: [Int]? = nil, draws: Int = Self.draws, seed: UInt64, pool: ThreadPool,
        control: RunControl
    ) throws {
        guard x.rows == y.rows else { throw GeometryError.rowsDiffer(x.rows, y.rows) }
        guard x.rows >= LinearCKA.fewest else {
            throw GeometryError.tooFewPoints(found: x.rows, needed: LinearCKA.fewest)
        }
        let pair = try ComparedRows(x, y, control: control)
        let halves = Halves(count: x.rows, groups: groups)
        let whole = try pair.values()
        let drawn = halves.canBeDrawn ? draws : 0
        var parts = [[SimilarityMeasure: Double]](repeating: [:], count: drawn + draws)
        try parts.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: drawn + draws) { task, _ in
                try control.checkCancellation()
                var random = SeededRandom(
                    seed: seed, .similarity, task < drawn ? 0 : 1, task < drawn ? task : task - drawn)
                results[task] =
                    task < drawn
                    ? try pair.values(rows: halves.draw(&random).rows)
                    : try pair.values(order: random.permutation(x.rows))
            }
        }
        try control.checkCancellation()
        var values: [SimilarityMeasure: MeasuredSimilarity] = [:]
        for (measure, value) in whole {
            let floors = parts[drawn...].compactMap { $0[measure] }
            values[measure] = MeasuredSimilarity(
                value: value, spread: Halves.spread(parts[..<drawn].compactMap { $0[measure] }),
                floor: floors.isEmpty ? nil : floors.reduce(0, +) / Double(floors.count))
        }
        count = x.rows
        widths = (x.columns, y.columns)
        self.values = values
        refusals = pair.refusals
        kept = pair.canonical?.dimensions
    }
}

/// Both sets as the measures need them.
private struct ComparedRows: Sendable {
    let x: CentredRows
    let y: CentredRows
    let kernels: (x: CentredKernel, y: CentredKernel)
    let rest: (x: CentredKernel, y: CentredKernel)?
    /// CKA of all coordinates, and without rogue ones.
    let alignment: LinearCKA?
    let restAlignment: LinearCKA?
    let canonical: CanonicalCorrelations?
    let ranks: (x: DissimilarityRanks, y: DissimilarityRanks)?
    let raw: RawRows?
    var refusals: [SimilarityMeasure: GeometryError] = [:]

    init(_ first: Matrix, _ second: Matrix, control: RunControl) throws {
        let rows = (try CentredRows(first), try CentredRows(second))
        kernels = (CentredKernel(rows.0), CentredKernel(rows.1))
        if let a = rows.0.withoutRogue(SimilarityMeasurement.rogueCount),
            let b = rows.1.withoutRogue(SimilarityMeasurement.rogueCount)
        {
            rest = (CentredKernel(a), CentredKernel(b))
        } else {
            rest = nil
        }
        try control.checkCancellation()
        var refusals: [SimilarityMeasure: GeometryError] = [:]
        do {
            alignment = try LinearCKA(kernels.x, kernels.y)
        } catch let error as GeometryError {
            alignment = nil
            refusals[.cka] = error
        }
        restAlignment = rest.flatMap { try? LinearCKA($0.x, $0.y) }
        do {
            canonical = try CanonicalCorrelations(rows.0, rows.1)
        } catch let error as GeometryError {
            canonical = nil
            for measure in [SimilarityMeasure.svcca, .pwcca] { refusals[measure] = error }
        }
        try control.checkCancellation()
        do {
            ranks = (try DissimilarityRanks(first), try DissimilarityRanks(second))
        } catch let error as GeometryError {
            ranks = nil
            refusals[.rsa] = error
        }
        try control.checkCancellation()
        raw = first.columns == second.columns ? RawRows(first, second) : nil
        // Rotations change no distance; wide sets are turned into as many coordinates as there are rows.
        (x, y) = (try rows.0.compact(), rows.0 == rows.1 ? try rows.0.compact() : try rows.1.compact())
        self.refusals = refusals
    }

    private var hasOneWidth: Bool { raw != nil }

    func values() throws -> [SimilarityMeasure: Double] {
        var values: [SimilarityMeasure: Double] = [:]
        values[.cka] = alignment?.value
        values[.ckaWithoutRogue] = restAlignment?.value
        values[.svcca] = canonical?.svcca
        values[.pwcca] = canonical?.pwcca
        if hasOneWidth { values[.procrustes] = try Procrustes.distance(x, y) }
        values[.rsa] = ranks.flatMap { try? $0.x.similarity(to: $0.y) }
        values[.relativeDistance] = raw?.relativeDistance(Array(0..<x.count))
        values[.cosine] = raw?.cosine(Array(0..<x.count))
        return values
    }

    func values(rows: [Int]) throws -> [SimilarityMeasure: Double] {
        var values: [SimilarityMeasure: Double] = [:]
        values[.cka] = try? LinearCKA(kernels.x.selecting(rows), kernels.y.selecting(rows)).value
        values[.ckaWithoutRogue] = rest.flatMap {
            try? LinearCKA($0.x.selecting(rows), $0.y.selecting(rows)).value
        }
        if hasOneWidth {
            values[.procrustes] = try? Procrustes.distance(x.selecting(rows), y.selecting(rows))
        }
        values[.rsa] = ranks.flatMap { try? $0.x.similarity(to: $0.y, rows: rows) }
        values[.relativeDistance] = raw?.relativeDistance(rows)
        values[.cosine] = raw?.cosine(rows)
        return values
    }

    func values(order: [Int]) throws -> [SimilarityMeasure: Double] {
        var values: [SimilarityMeasure: Double] = [:]
        values[.cka] = alignment?.value(order: order)
        values[.ckaWithoutRogue] = restAlignment?.value(order: order)
        values[.svcca] = try canonical?.svcca(order: order)
        if hasOneWidth { values[.procrustes] = try? Procrustes.distance(x, y.selecting(order)) }
        values[.rsa] = ranks.flatMap { try? $0.x.similarity(to: $0.y, order: order) }
        values[.relativeDistance] = raw?.relativeDistance(order: order)
        values[.cosine] = raw?.cosine(order: order)
        return values
    }
}

/// Rows of one width as they are.
private struct RawRows: Sendable {
    let x: Matrix
    let y: Matrix
    /// Squared lengths, [N] each, and those of the differences.
    private let squares: (x: [Double], y: [Double], difference: [Double])

    init(_ x: Matrix, _ y: Matrix) {
        (self.x, self.y) = (x, y)
        let rows = 0..<x.rows
        squares = (
            rows.map { Self.dot(x, $0, x, $0) }, rows.map { Self.dot(y, $0, y, $0) },
            rows.map { Self.difference(x, $0, y, $0) }
        )
    }

    func relativeDistance(_ rows: [Int]) -> Double? {
        let (above, below) = rows.reduce((0, 0)) { ($0.0 + squares.difference[$1], $0.1 + squares.x[$1]) }
        return below > 0 ? (above / below).squareRoot() : nil
    }

    func relativeDistance(order: [Int]) -> Double? {
        let above = order.enumerated().reduce(0) { $0 + Self.difference(x, $1.offset, y, $1.element) }
        let below = squares.x.reduce(0, +)
        return below > 0 ? (above / below).squareRoot() : nil
    }

    func cosine(_ rows: [Int]) -> Double? { mean(rows.map { ($0, $0) }) }

    func cosine(order: [Int]) -> Double? { mean(order.enumerated().map { ($0.offset, $0.element) }) }

    /// Rows of which one is 0 have no cosine and are left out.
    private func mean(_ pairs: [(Int, Int)]) -> Double? {
        var (sum, count) = (0.0, 0)
        for (i, j) in pairs where squares.x[i] > 0 && squares.y[j] > 0 {
            // Equal rows have exactly 1.
            let product = i == j && squares.difference[i] == 0 ? squares.x[i] : Self.dot(x, i, y, j)
            sum += min(1, max(-1, product / (squares.x[i] * squares.y[j]).squareRoot()))
            count += 1
        }
        return count > 0 ? sum / Double(count) : nil
    }

    private static func dot(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
        var sum = 0.0
        for column in 0..<a.columns {
            sum += Double(a.values[i * a.columns + column]) * Double(b.values[j * b.columns + column])
        }
        return sum
    }

    private static func difference(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
        var sum = 0.0
        for column in 0..<a.columns {
            let one = Double(a.values[i * a.columns + column]) - Double(b.values[j * b.columns + column])
            sum += one * one
        }
        return sum
    }
}
