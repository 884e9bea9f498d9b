import Comparison
import Directions
import Reports
import Statistics
import TerminalText
import Workbench

/// The report on the coordinates of rows along directions, group by group.
struct ProjectionReport {
    let name: String
    let projection: ProjectedRows
    /// The index of the direction whose histograms are drawn.
    let drawn: Int
    /// The largest number of groups for which pairs of groups are compared and histograms are drawn.
    private static let comparedGroups = 6
    private static let bins = 24

    private var parts: [ProjectedRows.Part] { projection.parts }
    private var groups: [ProjectedRows.Group] { projection.groups }
    private var grouping: ProjectedRows.Grouping { projection.grouping }
    private var dimension: Int { projection.dimension }

    private func values(_ group: Int, _ direction: Int) -> [Double] { projection.values(group, direction) }

    private func cell(_ group: Int) -> Cell {
        grouping == .label ? PromptSet.cell(label: groups[group].name) : .text(groups[group].name)
    }

    func report(listsRows: Bool) -> Report {
        var notes = ["Quantiles are interpolated between neighbours."]
        var tables = [distributions]
        if groups.count > 1, groups.count <= Self.comparedGroups {
            tables.append(separations)
            notes.append("AUC: the share of pairs in which the first group's row is higher; 95 %, Newcombe 2006.")
            if projection.hasSeveralRowsAPrompt {
                notes.append("Rows of one prompt are not independent: the intervals are too narrow.")
            }
        } else if groups.count > Self.comparedGroups {
            notes.append("With more than \(Self.comparedGroups) groups they are not compared pair by pair.")
        }
        if listsRows { tables.append(rows) }
        return Report(
            title: "\(name), \(counted(dimension, "direction")), N = \(parts.reduce(0) { $0 + $1.coordinates.count })",
            tables: tables, series: histograms,
            notes: notes)
    }

    private var groupColumn: Table.Column { .init(grouping.rawValue) }

    private var distributions: Table {
        var table = Table(
            "coordinates",
            columns: (dimension > 1 ? ["direction"] : []) + [groupColumn, "mean", "sd", "5 %", "25 %", "median"]
                + ["75 %", "95 %", "N"])
        for direction in 0..<dimension {
            for group in groups.indices {
                let values = values(group, direction)
                guard let quantiles = Quantiles(values) else { continue }
                let mean = values.reduce(0, +) / Double(values.count)
                let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let deviation = values.count > 1 ? (square / Double(values.count - 1)).squareRoot() : nil
                table.append(
                    (dimension > 1 ? [.integer(direction + 1)] : []) + [
                        cell(group), Self.mean(mean, deviation, values.count),
                    ]
                        + [Cell(deviation)] + [0.05, 0.25, 0.5, 0.75, 0.95].map { .number(quantiles[$0]) }
                        + [.integer(values.count)])
            }
        }
        return table
    }

    /// Makes a cell of a mean with its 95 % interval (normal). The cell has no interval if the standard deviation is
    /// nil.
    private static func mean(_ mean: Double, _ deviation: Double?, _ count: Int) -> Cell {
        guard let deviation else { return .number(mean) }
        let half = Proportion.z95 * deviation / Double(count).squareRoot()
        return .interval(value: mean, low: mean - half, high: mean + half)
    }

    private var separations: Table {
        var table = Table(
            "separation",
            columns: (dimension > 1 ? ["direction"] : []) + ["first", "second", "AUC", "null", "N first", "N second"])
        for direction in 0..<dimension {
            for first in groups.indices {
                for second in groups.indices.dropFirst(first + 1) {
                    let (high, low) = (values(first, direction), values(second, direction))
                    let auc = AreaUnderCurve(positives: high, negatives: low)
                    table.append(
                        (dimension > 1 ? [.integer(direction + 1)] : []) + [
                            cell(first), cell(second), auc.map { Cell($0) } ?? .missing, 0.5, .integer(high.count),
                            .integer(low.count),
                        ])
                }
            }
        }
        return table
    }

    private var rows: Table {
        let hasTexts = parts.contains { $0.source.hasTexts }
        var columns: [Table.Column] = parts.count > 1 ? ["capture"] : []
        columns += ["row"] + (hasTexts ? ["prompt", "label"] : [])
        columns += (1...dimension).map { .init(dimension > 1 ? "direction \($0)" : "coordinate") }
        if hasTexts { columns.append(.init("text", isQuoted: true)) }
        var table = Table("rows", columns: columns)
        for part in parts {
            for row in 0..<part.coordinates.count {
                let origin = part.source.row(row)
                var cells: [Cell] = parts.count > 1 ? [.text(part.name)] : []
                cells.append(.integer(part.source.rowNumber(row)))
                if hasTexts {
                    cells += [
                        origin.map { .integer($0.prompt) } ?? .missing, PromptSet.cell(label: origin?.label ?? ""),
                    ]
                }
                cells += part.coordinates[row].map { .number(Double($0)) }
                if hasTexts { cells.append(.text(origin?.text ?? "")) }
                table.append(cells)
            }
        }
        return table
    }

    /// Histograms of the drawn direction: the share of each group's rows by coordinate, in bins that all groups have in
    /// common.
    private var histograms: [Series] {
        let all = groups.indices.flatMap { values($0, drawn) }
        guard let low = all.min(), let high = all.max(), high > low, groups.count <= Self.comparedGroups else {
            return []
        }
        let width = (high - low) / Double(Self.bins)
        let label = dimension > 1 ? "coordinate along direction \(drawn + 1)" : "coordinate"
        return groups.indices.map { group in
            var counts = [Int](repeating: 0, count: Self.bins)
            let values = values(group, drawn)
            for value in values { counts[min(Self.bins - 1, Int((value - low) / width))] += 1 }
            return Series(
                groups[group].name.isEmpty ? "rows" : groups[group].name, x: .init(label),
                y: .init("share of rows"),
                points: counts.enumerated().map { bin, count in
                    .init(x: low + (Double(bin) + 0.5) * width, y: Double(count) / Double(values.count))
                })
        }
    }
}
