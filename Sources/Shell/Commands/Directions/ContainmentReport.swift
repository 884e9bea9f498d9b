import Directions
import Geometry
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `contain`: C at each number of principal directions, beside three nulls.
struct ContainmentReport {
    /// The name of the directions.
    let name: String
    /// The name of the points.
    let points: String
    let subspace: Subspace
    let source: PointSource
    let found: ContainmentRun.Found

    var report: Report {
        let m = found.measurement
        var table = Table(
            "containment",
            columns: [
                "m", "of", "C", "outside", "random", "split noise", "topics", "topics 5 %", "verdict",
            ])
        for level in m.levels {
            table.append([
                .integer(level.dimensions), .text(level.name), Self.value(level), .number(1 - level.value),
                .interval(
                    value: level.haar.mean, low: max(0, level.haar.mean - Proportion.z95 * level.haar.spread),
                    high: min(1, level.haar.mean + Proportion.z95 * level.haar.spread)), Self.cell(level.noise),
                Self.cell(level.topics), .number(level.topics.quantile(0.05)), .text(Self.verdict(level)),
            ])
        }
        return Report(
            title: "\(name) in \(points)\(source.hasTexts ? ", \(source.name)" : ""):"
                + " \(counted(subspace.dimension, "direction")), \(counted(found.used, "row")), D = \(source.width)",
            scalars: m.levels.prefix(1).map { level in
                Scalar(
                    "containment", Self.value(level),
                    note: "\(level.name) = \(level.dimensions); topics"
                        + " \(NumberFormat.significant(level.topics.quantile(0.5))), random"
                        + " \(NumberFormat.significant(level.haar.mean)): \(Self.verdict(level))",
                    null: level.topics.quantile(0.5))
            }, tables: [table], notes: notes)
    }

    static func verdict(_ level: ContainmentMeasurement.Level) -> String {
        level.isContained
            ? "contained, as any direction is"
            : "partly outside, 1 - C = \(NumberFormat.significant(1 - level.value))"
    }

    private static func value(_ level: ContainmentMeasurement.Level) -> Cell {
        guard let spread = level.spread else { return .number(level.value) }
        let half = Proportion.z95 * spread
        return .interval(value: level.value, low: max(0, level.value - half), high: min(1, level.value + half))
    }

    private static func cell(_ null: ContainmentMeasurement.Null) -> Cell {
        .interval(value: null.quantile(0.5), low: null.quantile(0.05), high: null.quantile(0.95))
    }

    private var notes: [String] {
        let m = found.measurement
        var notes = [
            "C = |V'U|^2 / dim R: V the first m principal directions of \(m.counts.fitted) rows; interval 95 %, normal, from"
                + " halves of these.",
            "random: all subspaces of R's dimension, mean m/D with 95 %. split noise: differences of two halves' means;"
                + " topics: of the means of \(m.clusters) k-means clusters; both of \(m.counts.heldOut) held-out rows,"
                + " median [5 %, 95 %] of \(m.draws) draws.",
            "contained: C is at or above the 5 % point of topics.",
        ]
        if found.used < found.total { notes.append("\(found.used) of \(found.total) rows, drawn with the seed.") }
        if source.hasTexts, found.prompts < found.used {
            notes.append("Rows of one prompt are not independent: they stay together in halves.")
        }
        if let place = subspace.site, source.name != place.fullName {
            notes.append(
                "\(name.escapedForTerminal) was found at \(place.shortName), the rows are of"
                    + " \(source.name.escapedForTerminal).")
        }
        return notes
    }
}
