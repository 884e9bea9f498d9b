import Reports
import Statistics
import TerminalText
import Workbench

/// The report on the rows that are nearest to one row, or to each row.
struct NeighbourReport {
    private let source: PointSource
    private let k: Int
    private let session: Session
    private let run: NeighbourRun
    private let hasLabels: Bool
    private let hasPositions: Bool

    init(source: PointSource, k: Int, session: Session) throws {
        self.source = source
        self.k = k
        self.session = session
        run = try NeighbourRun(session.context(), source)
        let rows = (0..<source.count).lazy.compactMap { source.row($0) }
        hasLabels = rows.contains { !$0.label.isEmpty }
        hasPositions = Set(rows.map(\.prompt)).count < source.count && source.hasTexts
    }

    // MARK: One row, or all

    private typealias Neighbour = NeighbourRun.Neighbour
    private var median: NeighbourRun.Median { run.median }

    func report(of one: Int?) throws -> Report {
        let rows = one.map { [$0] } ?? Array(0..<source.count)
        let found = try run.nearest(k, to: rows)
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
        let same = found.reduce(0) { $0 + $1.count { $0.distance == 0 } }
        if same > 0 {
            report.notes.append(
                one == nil
                    ? "\(same) of the distances \(agreeing(same)) 0: those rows repeat one another exactly."
                    : "\(same == k ? "All \(k)" : "\(same)") of the neighbours \(agreeing(same)) exactly the same row."
            )
        }
        report.notes.append(
            "median: between \(median.pairs) pairs of rows"
                + (median.isSampled ? ", drawn with seed \(session.settings.seed)" : ", all there are"))
        return report
    }

    /// Returns a row in words, such as `row 3 ("The capital of Norway is", capital)`.
    private func described(_ row: Int) -> String {
        guard let origin = source.row(row) else { return "row \(row)" }
        let label = origin.label.isEmpty ? "" : ", \(origin.label)"
        return "row \(row) (\"\(origin.text.escapedForTerminal(limit: 60))\"\(label))"
    }

    private func scalars(_ rows: [Int], _ found: [[Neighbour]], isOne: Bool) -> [Scalar] {
        func ratio(_ rank: Int) -> Double {
            let distances = found.map { $0[rank].distance }
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
        let distance = neighbour.distance
        var cells: [Cell] =
            isOne
            ? [.integer(rank), .integer(neighbour.row)]
            : [.integer(row)] + (k > 1 ? [.integer(rank)] : []) + [.integer(neighbour.row)]
        cells += [
            .number(distance), Cell(median.distance > 0 ? distance / median.distance : nil),
            Cell(neighbour.cosine), Cell(neighbour.centredCosine),
        ]
        let shown = (isOne ? [neighbour.row] : [row, neighbour.row]).map { source.row($0) }
        if hasPositions { cells += shown.map { $0?.position.map(Cell.integer) ?? .missing } }
        if hasLabels { cells += shown.map { PromptSet.cell(label: $0?.label ?? "") } }
        if source.hasTexts { cells += shown.map { .text($0?.text ?? "") } }
        return cells
    }
}
