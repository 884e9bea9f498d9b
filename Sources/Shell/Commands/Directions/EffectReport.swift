import Comparison
import Directions
import Reports
import Statistics
import TerminalText
import Workbench

/// The report on the effect of edits on each set: before, after, and beside random directions.
struct EffectReport {
    let effect: EffectRun.Result
    let names: [String]
    let controls: RandomControls
    let hasQuantiles: Bool

    var report: Report {
        var tables = [table]
        if hasQuantiles { tables += [quantiles] + series.map(\.table) }
        var notes = ["Intervals are 95 %: Wilson's over prompts for rates, over prompts as clusters for means."]
        notes += EditDivergence.notes(effect.after.map(\.divergence))
        if effect.random.isEmpty {
            notes.append("No controls: --against random:20 says what random directions do.")
        } else {
            notes.append(
                "random: median [least, most] of \(counted(effect.random.count, "run")) with random directions of the same number and"
                    + " lengths, orthogonal to those in force, \(controls.kind.summary).")
        }
        return Report(tables: tables, series: series, notes: notes)
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
        for kind in ReplyEndings.Kind.allCases {
            guard let before, let rates = after.rates else { break }
            let counts = (before.endings.count(kind), rates.endings.count(kind))
            result.append(
                Measure(name: kind.rawValue, unit: "replies", before: .integer(counts.0), after: .integer(counts.1)) {
                    $0.rates.map { Double($0.endings.count(kind)) }
                })
        }
        func mean(
            _ name: String, _ part: @escaping (EditDivergence) -> LogitsComparison, unit: String? = "nats a token",
            before: Cell = 0, within range: ClosedRange<Double> = 0 ... .infinity,
            _ of: @escaping (Divergence) -> Double?
        ) {
            guard let found = part(after.divergence).mean(of) else { return }
            result.append(
                Measure(name: name, unit: unit, before: before, after: Cell(found, within: range)) {
                    part($0.divergence).mean(of)?.mean
                })
        }
        mean("loss", \.prompt, before: after.divergence.prompt.cell { $0.next?.loss.a }) { $0.next?.loss.b }
        mean("kl prompt", \.prompt) { $0.forward }
        mean("kl first", \.first, unit: "nats") { $0.forward }
        mean("kl", \.reply) { $0.forward }
        mean("kl reverse", \.reply) { $0.reverse }
        mean("js", \.reply) { $0.jensenShannon }
        result.append(
            Measure(name: "top-1 first", before: 1, after: Cell(after.divergence.first.topAgreement)) {
                $0.divergence.first.topAgreement.value
            })
        mean("top-1", \.reply, unit: nil, before: 1, within: 0...1) { $0.agrees ? 1 : 0 }
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
                    row.append(Cell(EffectRun.p(measure.before.value, measure.after.value, random: found)))
                }
                row.append(measure.unit.map { .text($0) } ?? .missing)
                table.append(row + [.integer(effect.after[set].divergence.reply.prompts.count)])
            }
        }
        return table
    }

    private var quantiles: Table {
        let shares: [(String, Double)] = [("50 %", 0.5), ("95 %", 0.95), ("99 %", 0.99), ("most", 1)]
        var table = Table(
            "KL", columns: [.init("KL over the reply", unit: "nats"), "mean"] + shares.map { .init($0.0) })
        for (set, name) in names.enumerated() {
            let reply = effect.after[set].divergence.reply
            for (direction, of) in [
                ("before || after", { (d: Divergence) -> Double? in d.forward }),
                ("after || before", { (d: Divergence) -> Double? in d.reverse }),
            ] {
                guard let quantiles = reply.quantiles(of) else { continue }
                table.append([.text("\(name) \(direction)"), reply.cell(of)] + shares.map { .number(quantiles[$0.1]) })
            }
        }
        return table
    }

    /// KL and top-1 at each token of the replies without edits: two curves for each set.
    private var series: [Series] {
        let measures: [(name: String, y: Series.Axis, of: (LogitsComparison) -> Cell)] = [
            ("KL(before || after)", .init("KL", unit: "nats"), { $0.cell(\.forward) }),
            ("top-1", .init("agreement", range: 0...1), \.topCell),
        ]
        return zip(names, effect.after).flatMap { name, measured in
            measures.map { measure in
                Series(
                    "\(name) \(measure.name)", x: .init("token of the reply"), y: measure.y,
                    points: (0..<measured.divergence.tokens).compactMap { token in
                        Series.Point(x: Double(token + 1), measure.of(measured.divergence.token(token)))
                    })
            }
        }
    }
}
