import Comparison
import Directions
import Reports
import Statistics
import Workbench

/// The report on the effect of edits on each set: before, after, and beside random directions.
struct EffectReport {
    let effect: EffectRun.Result
    let names: [String]
    let controls: RandomControls
    let hasQuantiles: Bool

    var report: Report {
        var tables = [table]
        if hasQuantiles { tables.append(quantiles) }
        var notes = ["Intervals are 95 %: Wilson's over prompts for rates, over prompts as clusters for means."]
        if effect.random.isEmpty {
            notes.append("No controls: --against random:20 says what random directions do.")
        } else {
            notes.append(
                "random: median [least, most] of \(effect.random.count) runs with random directions of the same number and"
                    + " lengths, orthogonal to those in force, \(controls.kind.summary).")
        }
        return Report(tables: tables, notes: notes)
    }

    /// One line of the table: a measure, its values before and after, and a closure that reads its value from a
    /// control.
    private struct Measure {
        let name: String
        var unit: String?
        let before: Cell
        let after: Cell
        let of: (EffectRun.Measured) -> Double?
    }

    private func measures(_ set: Int) -> [Measure] {
        let (before, after) = (effect.before[set], effect.after[set])
        var result: [Measure] = []
        func rate(_ name: String, _ of: @escaping (BehaviourRun.Rates) -> Proportion?) {
            guard let before, let rates = after.rates, let first = of(before), let second = of(rates) else { return }
            result.append(
                Measure(name: name, before: Cell(first), after: Cell(second)) { $0.rates.flatMap(of)?.value })
        }
        rate("matched", \.matched)
        rate("right", \.right)
        func mean(
            _ name: String, _ unit: String, before: Cell, range: ClosedRange<Double> = 0 ... .infinity,
            last: Bool = false,
            _ of: @escaping (Divergence) -> Double?
        ) {
            func value(_ measured: EffectRun.Measured) -> ClusteredMean? {
                (last ? measured.divergence.atLast : measured.divergence).mean(of)
            }
            guard let found = value(after) else { return }
            result.append(
                Measure(name: name, unit: unit, before: before, after: Cell(found, within: range)) { value($0)?.mean })
        }
        let loss = after.divergence.mean { $0.next?.loss.a }
        mean("loss", "nats a token", before: loss.map { Cell($0, within: 0 ... .infinity) } ?? .missing) {
            $0.next?.loss.b
        }
        mean("kl first", "nats", before: 0, last: true) { $0.forward }
        mean("kl", "nats a token", before: 0) { $0.forward }
        mean("kl reverse", "nats a token", before: 0) { $0.reverse }
        mean("js", "nats a token", before: 0) { $0.jensenShannon }
        result.append(
            Measure(name: "top-1 first", before: 1, after: Cell(after.divergence.atLast.topAgreement)) {
                $0.divergence.atLast.topAgreement.value
            })
        return result
    }

    private var table: Table {
        let hasControls = !effect.random.isEmpty
        var table = Table(
            "effect",
            columns: ["measure", "before", "after"] + (hasControls ? ["random", "p"] : []) + ["unit", "N"])
        for (set, name) in names.enumerated() {
            for measure in measures(set) {
                var row: [Cell] = [.text("\(name) \(measure.name)"), measure.before, measure.after]
                if hasControls {
                    let found = effect.random.compactMap { measure.of($0[set]) }
                    row.append(Cell(Estimate(medianOf: found)))
                    row.append(Cell(Self.p(measure, found)))
                }
                row.append(measure.unit.map { .text($0) } ?? .missing)
                table.append(row + [.integer(effect.after[set].divergence.prompts.count)])
            }
        }
        return table
    }

    /// Returns the share of the runs, the edits' own among them, whose distance from the value before is at least that
    /// of the edits (Davison and Hinkley 1997, eq. 4.11).
    ///
    /// - Parameters:
    ///   - measure: The measure, with its values before and after.
    ///   - random: The values of the measure in the controls.
    /// - Returns: Nil if there are no controls or a value is missing.
    private static func p(_ measure: Measure, _ random: [Double]) -> Double? {
        guard let before = measure.before.value, let after = measure.after.value, !random.isEmpty else { return nil }
        let distance = abs(after - before)
        return Double(1 + random.count { abs($0 - before) >= distance }) / Double(1 + random.count)
    }

    private var quantiles: Table {
        let shares: [(String, Double)] = [("50 %", 0.5), ("95 %", 0.95), ("99 %", 0.99), ("most", 1)]
        var table = Table(
            "KL", columns: [.init("KL of the reply's first token", unit: "nats"), "mean"] + shares.map { .init($0.0) })
        for (set, name) in names.enumerated() {
            let last = effect.after[set].divergence.atLast
            for (direction, of) in [
                ("before || after", { (d: Divergence) -> Double? in d.forward }),
                ("after || before", { (d: Divergence) -> Double? in d.reverse }),
            ] {
                guard let quantiles = last.quantiles(of), let mean = last.mean(of) else { continue }
                table.append(
                    [.text("\(name) \(direction)"), Cell(mean, within: 0 ... .infinity)]
                        + shares.map { .number(quantiles[$0.1]) })
            }
        }
        return table
    }
}
