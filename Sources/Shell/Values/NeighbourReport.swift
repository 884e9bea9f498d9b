import LinearAlgebra
import Reports
import Statistics
import Synchronization
import TerminalText
import Workbench

/// The rows nearest to one row, or to each, as a report.
struct NeighbourReport {
    private let source: PointSource
    private let k: Int
    private let session: Session
    private let matrix: Matrix
    /// [width]
    private let mean: [Double]
    /// Between points of the set, and how many pairs it is taken from.
    private let median: (distance: Double, pairs: Int, isSampled: Bool)
    private let hasLabels: Bool
    private let hasPositions: Bool

    /// Pairs whose median distance stands for that of all: right to a percent or so.
    private static let pairLimit = 20_000

    init(source: PointSource, k: Int, session: Session) throws {
        self.source = source
        self.k = k
        self.session = session
        matrix = try source.finiteMatrix()
        var sums = [Double](repeating: 0, count: matrix.columns)
        for row in 0..<matrix.rows {
            for (column, value) in matrix.row(row).enumerated() { sums[column] += Double(value) }
        }
        mean = sums.map { $0 / Double(source.count) }
        median = Self.median(matrix, seed: session.settings.seed)
        let rows = (0..<source.count).lazy.compactMap { source.row($0) }
        hasLabels = rows.contains { !$0.label.isEmpty }
        hasPositions = Set(rows.map(\.prompt)).count < source.count && source.hasTexts
    }

    private static func median(_ matrix: Matrix, seed: UInt64) -> (distance: Double, pairs: Int, isSampled: Bool) {
        let n = matrix.rows
        var distances: [Double] = []
        // All pairs if they are few; else as many drawn at random.
        let isSampled = n > 200 && n * (n - 1) / 2 > pairLimit
        if isSampled {
            var random = SeededRandom(seed: seed)
            while distances.count < pairLimit {
                let first = Int.random(in: 0..<n, using: &random)
                let second = Int.random(in: 0..<n, using: &random)
                if first != second { distances.append(matrix.squaredDistance(first, second)) }
            }
        } else {
            for first in 0..<n { for second in 0..<first { distances.append(matrix.squaredDistance(first, second)) } }
        }
        distances.sort()
        let middle = distances.count / 2
        let square =
            distances.count % 2 == 1
            ? distances[middle].squareRoot() : (distances[middle - 1].squareRoot() + distances[middle].squareRoot()) / 2
        return (square, distances.count, isSampled)
    }

    // MARK: One row, or all

    private typealias Neighbour = (row: Int, squaredDistance: Double)

    func report(of one: Int?) throws -> Report {
        let rows = one.map { [$0] } ?? Array(0..<source.count)
        let found = try nearest(rows)
        let whose = one.map(described) ?? "each row"
        var report = Report(
            title: "neighbours of \(whose), \(source.name), N = \(source.count), D = \(source.width)",
            scalars: scalars(rows, found, isOne: one != nil))
        var table = Table("neighbours", columns: columns(isOne: one != nil))
        for (row, neighbours) in zip(rows, found) {
            for (rank, neighbour) in neighbours.enumerated() {
                table.append(cells(of: neighbour, rank + 1, from: row, isOne: one != nil))
            }
        }
        report.tables = [table]
        let same = found.reduce(0) { $0 + $1.count { $0.squaredDistance == 0 } }
        if same > 0 {
            report.notes.append(
                one == nil
                    ? "\(same) of the distances are 0: those rows repeat one another exactly."
                    : "\(same == k ? "All \(k)" : "\(same)") of the neighbours \(same == 1 ? "is" : "are") exactly the same row."
            )
        }
        report.notes.append(
            "median: between \(median.pairs) pairs of rows"
                + (median.isSampled ? ", drawn with seed \(session.settings.seed)" : ", all there are"))
        return report
    }

    /// `row 3 ("The capital of Norway is", capital)`
    private func described(_ row: Int) -> String {
        guard let origin = source.row(row) else { return "row \(row)" }
        let label = origin.label.isEmpty ? "" : ", \(origin.label)"
        return "row \(row) (\"\(origin.text.escapedForTerminal(limit: 60))\"\(label))"
    }

    /// The nearest of each row, in the order of the rows.
    private func nearest(_ rows: [Int]) throws -> [[Neighbour]] {
        let perTask = 32
        let tasks = (rows.count + perTask - 1) / perTask
        let results = Mutex([[Neighbour]](repeating: [], count: rows.count))
        let done = Atomic(0)
        let (matrix, k, control) = (matrix, k, session.control)
        try session.pool().run(tasks: tasks) { task, _ in
            for place in task * perTask..<min((task + 1) * perTask, rows.count) {
                try control.checkCancellation()
                let found = matrix.nearest(k, to: rows[place])
                results.withLock { $0[place] = found }
                control.report(done: done.wrappingAdd(1, ordering: .relaxed).newValue, total: rows.count, unit: "rows")
            }
        }
        return results.withLock { $0 }
    }

    private func scalars(_ rows: [Int], _ found: [[Neighbour]], isOne: Bool) -> [Scalar] {
        func ratio(_ rank: Int) -> Double {
            let distances = found.map { $0[rank].squaredDistance.squareRoot() }
            return distances.reduce(0, +) / Double(distances.count) / median.distance
        }
        var scalars = [Scalar("median distance", .number(median.distance))]
        for rank in Set([0, k - 1]).sorted() where median.distance > 0 {
            let value = ratio(rank)
            scalars.append(
                Scalar(
                    isOne ? "r\(rank + 1) / median" : "mean r\(rank + 1) / median", .number(value),
                    note: value >= 0.8 ? "global scale: no point is near" : nil))
        }
        guard hasLabels else { return scalars }
        let labels = (0..<source.count).map { source.row($0)?.label ?? "" }
        var counts: [String: Int] = [:]
        for label in labels { counts[label, default: 0] += 1 }
        var same = 0
        var chance = 0.0
        for (row, neighbours) in zip(rows, found) {
            same += neighbours.count { labels[$0.row] == labels[row] }
            chance += Double((counts[labels[row]] ?? 1) - 1) / Double(source.count - 1) / Double(rows.count)
        }
        let share = Proportion(successes: same, trials: rows.count * k)
        return scalars + [
            Scalar("same label", Cell(share), note: "any other row \(NumberFormat.significant(chance))", null: chance)
        ]
    }

    // MARK: The table

    private func columns(isOne: Bool) -> [Table.Column] {
        var names = isOne ? ["rank", "row"] : ["row"] + (k > 1 ? ["rank"] : []) + ["neighbour"]
        names += ["distance", "/ median", "cosine", "centred cosine"]
        if hasPositions { names += isOne ? ["token"] : ["token", "neighbour's token"] }
        if hasLabels { names += isOne ? ["label"] : ["label", "neighbour's label"] }
        if source.hasTexts { names += isOne ? ["text"] : ["text", "neighbour's text"] }
        return names.map { .init($0) }
    }

    private func cells(of neighbour: Neighbour, _ rank: Int, from row: Int, isOne: Bool) -> [Cell] {
        let distance = neighbour.squaredDistance.squareRoot()
        var cells: [Cell] =
            isOne
            ? [.integer(rank), .integer(neighbour.row)]
            : [.integer(row)] + (k > 1 ? [.integer(rank)] : []) + [.integer(neighbour.row)]
        cells += [
            .number(distance), Cell(median.distance > 0 ? distance / median.distance : nil),
            Cell(cosine(row, neighbour.row, centred: false)), Cell(cosine(row, neighbour.row, centred: true)),
        ]
        let shown = (isOne ? [neighbour.row] : [row, neighbour.row]).map { source.row($0) }
        if hasPositions { cells += shown.map { $0?.position.map(Cell.integer) ?? .missing } }
        if hasLabels { cells += shown.map { PromptSet.cell(label: $0?.label ?? "") } }
        if source.hasTexts { cells += shown.map { .text($0?.text ?? "") } }
        return cells
    }

    /// Nil where a row has no length.
    private func cosine(_ first: Int, _ second: Int, centred: Bool) -> Double? {
        var (product, a, b) = (0.0, 0.0, 0.0)
        for (column, (x, y)) in zip(matrix.row(first), matrix.row(second)).enumerated() {
            let away = centred ? mean[column] : 0
            let (x, y) = (Double(x) - away, Double(y) - away)
            product += x * y
            a += x * x
            b += y * y
        }
        return a > 0 && b > 0 ? product / (a * b).squareRoot() : nil
    }
}
