import Checkpoints
import Comparison
import Reports
import TerminalText
import Workbench

/// The report of `compare A B weights`.
struct WeightsReport {
    let pair: CheckpointPair
    let pairs: TensorPairs
    let comparison: WeightsComparison
    /// The pattern of the names of the chosen tensors, or nil for all tensors.
    let pattern: String?
    /// The number of settings that differ.
    let differences: Int
    /// The rows of the table of tensors, in order.
    var listed: [WeightsComparison.Row] = []
    var spectra: WeightSpectraRun.Found?

    func report() -> Report {
        let rows = comparison.rows
        let elements = rows.reduce(0) { $0 + $1.difference.count }
        var report = Report(
            title: "A: \(pair.a.name), B: \(pair.b.name); \(counted(rows.count, "tensor")),"
                + " \(NumberFormat.count(elements)) numbers")
        if let total = comparison.total { report.scalars = scalars(total) }
        report.tables = [tensors]
        if let spectra { report.tables += [spectra.table, spectra.nulls].filter { !$0.rows.isEmpty } }
        let parts = WeightParts(rows)
        report.tables.append(parts.table)
        if let grid = parts.grid { report.grids = [grid] }
        if !pairs.unpaired.isEmpty { report.tables.append(unpaired) }
        report.notes = notes + (spectra?.notes ?? [])
        return report
    }

    private func scalars(_ total: TensorDifference) -> [Scalar] {
        let rows = comparison.rows
        let peak = rows.filter(\.difference.isFinite).max {
            $0.difference.largestChange < $1.difference.largestChange
        }
        return WeightScalars.scalars(total, largestIn: total.largestChange > 0 ? peak?.pair.name : nil) + [
            Scalar(
                differences == 0 ? "identical tensors" : "tensors with the same numbers",
                .integer(rows.count { $0.difference.isIdentical }), note: "of \(rows.count)"),
            Scalar("settings that differ", .integer(differences), note: "apart from weights; null 0", null: 0),
        ]
    }

    private var tensors: Table {
        var table = Table(
            "tensors",
            columns: [
                "tensor", "type", "shape", .init("|B-A|/|A|", alignment: .right), .init("rounding", alignment: .right),
                .init("gap", alignment: .right), .init("cosine", alignment: .right, digits: 7),
                .init("changed", alignment: .right), .init("max |B-A|", alignment: .right), "state",
            ])
        for row in listed {
            let d = row.difference
            let types = [row.pair.a.type.name, row.pair.b.type.name]
            table.append([
                .text(row.pair.name), .text(types[0] == types[1] ? types[0] : types.joined(separator: ", ")),
                .text(shapeText(row.pair.a.shape)), Cell(d.relativeChange), Cell(d.roundingFloor), Cell(d.relativeGap),
                Cell(d.cosine), d.isFinite ? .number(d.changedShare) : .missing,
                d.isFinite ? .number(d.largestChange) : .missing, .text(Self.text(d, differences)),
            ])
        }
        return table
    }

    /// Returns the state of one tensor in words, such as identical, changed or rounded. Of two models of which settings
    /// differ, nothing is called identical.
    static func text(_ difference: TensorDifference, _ settings: Int = 0) -> String {
        switch difference.state {
        case .notFinite:
            let (a, b) = difference.nonFinite
            return "NaN or Inf: "
                + [(a, "A"), (b, "B")].filter { $0.0 > 0 }.map { "\($0.0) in \($0.1)" }.joined(separator: ", ")
        case .identical: return settings == 0 ? "identical" : "the same numbers"
        case .rounded(let side, let type):
            return "\(side.rawValue) is \(side == .a ? "B" : "A") rounded to \(type.name)"
        case .withinRounding(let type): return "within rounding to \(type.name)"
        case .changed: return "changed"
        }
    }

    private var unpaired: Table {
        func cell(_ info: TensorInfo?) -> Cell {
            info.map { .text("\($0.typeName) \(shapeText($0.shape))") } ?? .missing
        }
        return Table(
            "not compared", columns: ["tensor", "why", "A", "B"],
            rows: pairs.unpaired.map {
                [.text($0.name), .text($0.difference.rawValue), cell($0.a), cell($0.b)]
            })
    }

    private var notes: [String] {
        var notes = ["Exact over all numbers, in float64: no interval."]
        let rows = comparison.rows
        if listed.count < rows.count {
            notes.append("Listed: \(listed.count) of \(counted(rows.count, "tensor")); --top \(rows.count) lists all.")
        }
        let bad = rows.count { !$0.difference.isFinite }
        if bad > 0 {
            notes.append(
                "\(counted(bad, "tensor")) with NaN or Inf \(agreeing(bad)) in no total; verify lists them.")
        }
        switch comparison.grains {
        case (let a?, let b?) where a == b:
            notes.append("Rounding is what rounding A's numbers afresh to \(a.name) would give.")
        case (let a?, let b?):
            notes.append(
                "The numbers of A fit in \(a.name), those of B in \(b.name): rounding is what the finer ones lose"
                    + " in the coarser type.")
        default: notes.append("Rounding is that of each tensor's coarser type.")
        }
        for difference in [TensorPairs.Difference.onlyInA, .onlyInB, .reshaped, .unreadable] {
            let found = pairs.unpaired.filter { $0.difference == difference }
            guard !found.isEmpty else { continue }
            notes.append(
                "\(counted(found.count, "tensor")) \(difference.phrase(isPlural: found.count > 1)): not compared.")
        }
        return notes + WeightNotes.edits(pair)
    }
}
