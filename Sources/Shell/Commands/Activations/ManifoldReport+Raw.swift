import Geometry
import Reports
import Workbench

/// The report of `manifold --raw`.
extension ManifoldReport {
    static func raw(_ found: [ManifoldRun.Raw]) -> Report {
        if found.count == 1 { return raw(found[0]) }
        let estimators = found[0].profile.order
        let isGrouped = found.contains { $0.set.group != nil }
        var table = Table(
            "raw estimates",
            columns: ["site"] + (isGrouped ? ["group"] : []) + ["N"] + estimators.map { .init($0.name) })
        for one in found {
            table.append(
                [.text(one.set.name)] + (isGrouped ? [.text(one.set.group ?? "")] : [])
                    + [.integer(one.points.count)]
                    + estimators.map { Cell(one.profile.values[$0]) })
        }
        return Report(tables: [table], notes: ["Raw numbers: nothing is calibrated."])
    }

    private static func raw(_ one: ManifoldRun.Raw) -> Report {
        var table = Table("raw estimates", columns: ["estimator", "name", "value", "r_k/median", "note"])
        for estimator in one.profile.order {
            let value = one.profile.values[estimator]
            let note = note(estimator, one.profile)
            table.append([
                .text(estimator.title), .text(estimator.name), Cell(value),
                Cell(one.profile.locality[estimator.neighbours]), .text(note),
            ])
        }
        var tables = [table]
        if one.decimation.steps.count > 1 {
            var decimation = Table("decimation", columns: ["points", "TwoNN", "parts"])
            for step in one.decimation.steps {
                decimation.append([.integer(step.count), step.cell, .integer(step.logs.count)])
            }
            tables.append(decimation)
        }
        var scalars: [Scalar] = []
        if let linear = one.profile.spectrum?.linear {
            scalars = [
                Scalar("effective rank of lambda", .number(linear.effectiveRank)),
                Scalar("effective rank of sigma", .number(linear.effectiveRankOfSingularValues)),
                Scalar("stable rank", .number(linear.stableRank)), Scalar("d90", .integer(linear.d90)),
                Scalar("d95", .integer(linear.d95)),
            ]
        }
        scalars.append(Scalar("exact duplicates dropped", .integer(one.points.duplicates)))
        let x = Series.Axis("points", isLogarithmic: true)
        let y = Series.Axis("TwoNN, raw", isLogarithmic: true)
        let curve = Series(
            "decimation", x: x, y: y,
            points: one.decimation.steps.map { step in
                let half = 1.645 * step.deviation
                return .init(
                    x: Double(step.count), y: step.dimension, low: step.dimension * (1 - half),
                    high: step.dimension * (1 + half))
            })
        let centres = one.profile.centres
        return Report(
            title: title(one.set, one.points.count, one.points.width), scalars: scalars, tables: tables,
            series: curve.points.count > 1 ? [curve] : [],
            notes: (one.points.count + one.points.duplicates < one.rows
                ? ["\(one.points.count) points of \(one.rows) rows, drawn with the seed."] : [])
                + (centres > 0 && centres < one.points.count ? ["Patches around \(centres) of the points."] : []) + [
                    "Raw numbers: nothing is calibrated."
                        + (tables.count > 1
                            ? " decimation: TwoNN of random parts, 90 % between parts, without replacement." : "")
                ])
    }
}

extension Decimation.Step {
    /// The dimension with the interval that holds 90 % of the parts.
    fileprivate var cell: Cell {
        guard logs.count > 1, deviation > 0 else { return .number(dimension) }
        let half = 1.645 * deviation
        return .interval(value: dimension, low: dimension * (1 - half), high: dimension * (1 + half))
    }
}
