import Comparison
import Directions
import Reports
import Statistics
import TerminalText
import Workbench

/// The report on a behaviour along a sweep of directions, as a table and a picture.
struct CurveReport {
    let curve: CurveRun.Result
    let sweep: DirectionSweep
    let set: String
    let neutral: String?

    private typealias Rates = BehaviourRun.Rates

    private func rate(_ rates: Rates) -> Proportion? { rates.behaviour }

    private var measure: String { curve.before.matched != nil ? "matched" : "right" }

    var report: Report {
        var scalars = [Scalar("\(measure) before", cell(rate(curve.before)), note: set)]
        var notes = ["Rates have Wilson's 95 % intervals over prompts."]
        if let before = curve.neutralBefore.flatMap(rate), measure == "matched", let neutral {
            scalars.append(Scalar("base rate", Cell(before), note: neutral))
            if !sweep.isSteering {
                scalars.append(
                    Scalar(
                        "k causal", curve.causal(base: before).map { .number($0) } ?? .text("none"),
                        note: "smallest k whose interval reaches that of the base rate; 0: it does without"))
            }
        } else if !sweep.isSteering {
            notes.append("k causal needs a base rate: give --neutral SET and phrases.")
        }
        notes += EditDivergence.notes(curve.points.compactMap(\.neutral?.divergence))
        if curve.points.contains(where: { !$0.random.isEmpty }) {
            notes.append(
                "random: median [least, most] of \(counted(curve.points[0].random.count, "draw")) for each point.")
        }
        return Report(scalars: scalars, tables: [table], series: series, notes: notes)
    }

    private func cell(_ proportion: Proportion?) -> Cell { proportion.map { Cell($0) } ?? .missing }

    private var x: String { sweep.isSteering ? "strength" : "k" }

    private var table: Table {
        let hasRandom = curve.points.contains { !$0.random.isEmpty }
        let both = curve.before.matched != nil && curve.before.right != nil
        var columns: [Table.Column] = [.init(x), .init(measure)]
        if hasRandom { columns.append(.init("\(measure), random")) }
        if both { columns.append("right") }
        columns += ReplyEndings.columns(curve.points.map(\.rates.endings))
        if let neutral {
            columns.append(.init("\(neutral) kl", unit: "nats a token"))
            columns += [.init("\(neutral) kl first", unit: "nats"), .init("\(neutral) top-1")]
            if curve.neutralBefore?.matched != nil { columns.append(.init("\(neutral) matched")) }
            if curve.neutralBefore?.right != nil { columns.append(.init("\(neutral) right")) }
        }
        var table = Table("curve", columns: columns + ["N"])
        for point in curve.points {
            var row: [Cell] = [.number(point.x), cell(rate(point.rates))]
            if hasRandom { row.append(Cell(Estimate(medianOf: point.random.compactMap { rate($0)?.value }))) }
            if both { row.append(cell(point.rates.right)) }
            row += point.rates.endings.cells
            if let measured = point.neutral {
                let (reply, first) = (measured.divergence.reply, measured.divergence.first)
                row += [reply.cell(\.forward), first.cell(\.forward), reply.topCell]
                if curve.neutralBefore?.matched != nil { row.append(cell(measured.rates?.matched)) }
                if curve.neutralBefore?.right != nil { row.append(cell(measured.rates?.right)) }
            }
            table.append(row + [.integer(rate(point.rates)?.trials ?? 0)])
        }
        return table
    }

    private var series: [Series] {
        let xAxis = Series.Axis(sweep.isSteering ? "strength" : "directions taken out")
        let yAxis = Series.Axis("share \(measure)", range: 0...1)
        func curve(_ name: String, style: Series.Style = .line, _ cell: (CurveRun.Point) -> Cell) -> Series {
            Series(
                name, x: xAxis, y: yAxis,
                points: self.curve.points.compactMap { Series.Point(x: $0.x, cell($0)) }, style: style)
        }
        let own = curve("\(set), these directions") { cell(rate($0.rates)) }
        let random = curve("\(set), random", style: .band) {
            Cell(Estimate(medianOf: $0.random.compactMap { rate($0)?.value }))
        }
        let other = curve("\(neutral ?? ""), these directions") {
            measure == "matched" ? cell($0.neutral?.rates?.matched) : .missing
        }
        return [random, own, other].filter { !$0.points.isEmpty }
    }
}
