import Directions
import Reports
import Sites
import TerminalText

extension SubspaceSearch {
    func report() -> Report {
        let first = null.steps.first
        var table = Table(
            "steps",
            columns: ["step", "sigma1", "null median", "null 99 %", "signal to noise", "null reaches", "verdict"])
        for (index, step) in null.steps.enumerated() {
            table.append([
                .integer(index + 1), .number(step.sigma), .number(step.nullMedian), .number(step.nullBound),
                Cell(step.signalToNoise), Cell(step.reached), .text(step.isAbove ? "above" : "not above: stop"),
            ])
        }
        var tables = [table]
        if let principal {
            var forced = Table("directions", columns: ["direction", "sigma", "share of squares", "agreeing"])
            for (index, sigma) in principal.singularValues.enumerated() {
                forced.append([
                    .integer(index + 1), .number(sigma), .number(principal.shares[index]),
                    Cell(principal.agreeing[index]),
                ])
            }
            tables.append(forced)
        }
        return Report(
            title: "subspace \(sets.positives.name) \(sets.negatives.name) at \(site.shortName)"
                + ", N = \(null.rows) \(isTuning ? "rows" : "pairs")",
            scalars: [
                Scalar(
                    "rank", .integer(null.rank),
                    note: "by the deflated contrast null, \(counted(null.draws, "draw"))", null: 0),
                Scalar("dimension", .integer(dimension), note: size == nil ? "the rank" : "as asked for"),
                Scalar(
                    "signal to noise", Cell(first?.signalToNoise),
                    note: "of the first step, squared sigma1 over that of the null's median", null: 1),
            ], tables: tables, series: series, notes: notes)
    }

    private var series: [Series] {
        let axis = Series.Axis("sigma1")
        let steps = null.steps.enumerated()
        return [
            Series(
                "differences", x: .init("step"), y: axis, points: steps.map { .init(x: Double($0 + 1), y: $1.sigma) }),
            Series(
                "contrasts, 99 %", x: .init("step"), y: axis,
                points: steps.map { .init(x: Double($0 + 1), y: $1.nullBound) }),
        ]
    }

    private var notes: [String] {
        let contrast =
            "Null: sigma1 of as many differences of two rows of one of \(counted(classes, "class", "classes"))"
            + (isTuning ? ", over the root of 2." : ".")
        var notes = [contrast]
        if null.endedAtLimit {
            notes.append("The search ended at \(counted(null.limit, "direction")): there may be more.")
        }
        if let size, size > null.rank {
            let lost = size - null.rank
            notes.append(
                "Of \(counted(size, "direction")) \(lost) \(agreeing(lost, "does", "do")) not stand out of the null.")
        }
        return notes + sets.notes
    }
}
