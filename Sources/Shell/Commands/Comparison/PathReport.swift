import Comparison
import Directions
import Reports
import Statistics
import TerminalText
import Workbench

/// The report on a path between checkpoints: tables, verdicts and curves.
struct PathReport {
    let result: PathRun.Result
    let kind: CheckpointPath.Kind
    let controls: RandomControls.Kind
    /// The name of the set of prompts on which the loss is measured, or nil if it is that of the other measures.
    let lossSet: String?

    private static let unit = "nats a token"

    private var points: [PathRun.Point] { result.points }

    private var barrier: LossBarrier? { result.barrier }

    private static func loss(_ point: PathRun.Point) -> ClusteredMean? { ClusteredMean(point.losses) }

    private static func lossCell(_ point: PathRun.Point) -> Cell {
        loss(point).map { Cell($0, within: 0 ... .infinity) } ?? .missing
    }

    var report: Report {
        var tables = [distances]
        if points.contains(where: { Self.loss($0) != nil }) { tables.append(losses) }
        if points.contains(where: { $0.rates != nil }) { tables.append(behaviour) }
        return Report(scalars: scalars, tables: tables, series: series, notes: notes)
    }

    // MARK: Verdicts

    private var scalars: [Scalar] {
        var scalars: [Scalar] = []
        if let barrier {
            let cell =
                barrier.interval.map {
                    Cell.interval(value: barrier.value, low: $0.lowerBound, high: $0.upperBound)
                } ?? .number(barrier.value)
            let random = result.randomBarriers
            let spread = Cell(Estimate(medianOf: random))
            var note =
                barrier.value > 0
                ? "at lambda \(NumberFormat.significant(barrier.place))" : "no point lies above the line"
            if !random.isEmpty { note += "; random \(spread.formatted())" }
            scalars.append(Scalar("barrier", cell, unit: Self.unit, note: note, null: spread.value))
            scalars.append(
                Scalar(
                    "barrier above 0",
                    .text(barrier.verdict?.rawValue ?? "not testable: one prompt has no interval"),
                    note: "interval over all points together"))
        }
        // An ablation is not expected to change the distances in a particular direction, so the direction of the whole
        // change is tested.
        let isOpen = kind == .ablation
        scalars += [
            result.departure(isOpen ? nil : .rises).map { shape("kl to A", $0) },
            result.arrival(isOpen ? nil : .falls).map { shape("kl to B", $0) },
        ].compactMap(\.self)
        return scalars
    }

    private func shape(_ name: String, _ test: StepTest) -> Scalar {
        let inside = result.inside
        func places(_ indices: [Int]) -> String {
            indices.prefix(3).map {
                "\(NumberFormat.significant(inside[$0].x)) to \(NumberFormat.significant(inside[$0 + 1].x))"
            }.joined(separator: ", ") + (indices.count > 3 ? ", ..." : "")
        }
        let note: String? =
            !test.against.isEmpty
            ? "not from \(places(test.against))"
            : test.undecided.isEmpty ? nil : "no change seen from \(places(test.undecided))"
        return Scalar("\(name) \(test.direction.rawValue)", .text(test.verdict.rawValue), note: note)
    }

    // MARK: Tables

    private func random(_ index: Int, _ measure: (PathRun.Point) -> Double?) -> Cell {
        Cell(Estimate(medianOf: result.random.compactMap { $0.indices.contains(index) ? measure($0[index]) : nil }))
    }

    private var distances: Table {
        let hasRandom = !result.random.isEmpty
        var table = Table(
            "path",
            columns: [.init("lambda"), .init("kl to A", unit: Self.unit)]
                + (hasRandom ? [.init("kl to A, random", unit: Self.unit)] : [])
                + [.init("kl to B", unit: Self.unit), "top-1 as A", "top-1 as B"])
        for (index, point) in points.enumerated() {
            table.append(
                [.number(point.x), point.toA.cell(\.forward)]
                    + (hasRandom ? [random(index) { $0.toA.mean(\.forward)?.mean }] : [])
                    + [point.toB.cell(\.forward), point.toA.topCell, point.toB.topCell])
        }
        return table
    }

    private var losses: Table {
        let hasRandom = !result.random.isEmpty
        let heights = barrier?.heights ?? []
        var table = Table(
            "loss",
            columns: [.init("lambda"), .init(lossSet.map { "loss on \($0)" } ?? "loss", unit: Self.unit)]
                + (hasRandom ? [.init("loss, random", unit: Self.unit)] : [])
                + [.init("above the line", unit: Self.unit)])
        for (index, point) in points.enumerated() {
            let height = heights.first { $0.x == point.x }
            let isEnd = point.x == points[0].x || point.x == 1
            table.append(
                [.number(point.x), Self.lossCell(point)]
                    + (hasRandom ? [random(index) { Self.loss($0)?.mean }] : [])
                    + [height.map { Cell($0.mean) } ?? (isEnd && barrier != nil ? .number(0) : .missing)])
        }
        return table
    }

    private var behaviour: Table {
        let hasRandom = !result.random.isEmpty
        let measures: [(name: String, of: (BehaviourRun.Rates) -> Proportion?)] = [
            ("matched", \.matched), ("right", \.right),
        ].filter { measure in points.contains { $0.rates.flatMap(measure.of) != nil } }
        var table = Table(
            "behaviour",
            columns: [.init("lambda")]
                + measures.flatMap { [.init($0.name)] + (hasRandom ? [.init("\($0.name), random")] : []) }
                + ReplyEndings.columns(points.compactMap { $0.rates?.endings }) + ["N"])
        for (index, point) in points.enumerated() {
            var row: [Cell] = [.number(point.x)]
            for measure in measures {
                row.append(point.rates.flatMap(measure.of).map { Cell($0) } ?? .missing)
                if hasRandom { row.append(random(index) { $0.rates.flatMap(measure.of)?.value }) }
            }
            let trials = point.rates.flatMap { measures.first?.of($0)?.trials } ?? 0
            table.append(row + (point.rates?.endings ?? ReplyEndings()).cells + [.integer(trials)])
        }
        return table
    }

    // MARK: Curves

    private var series: [Series] {
        let x = Series.Axis("lambda")
        let kl = Series.Axis("KL", unit: Self.unit)
        let loss = Series.Axis("loss", unit: Self.unit)
        func curve(
            _ name: String, _ y: Series.Axis, style: Series.Style = .line, _ cell: (Int, PathRun.Point) -> Cell
        ) -> Series {
            Series(
                name, x: x, y: y,
                points: points.enumerated().compactMap { Series.Point(x: $1.x, cell($0, $1)) }, style: style)
        }
        let isMatched = points.contains { $0.rates?.matched != nil }
        return [
            curve("kl to A, random", kl, style: .band) { index, _ in random(index) { $0.toA.mean(\.forward)?.mean } },
            curve("kl to A", kl) { $1.toA.cell(\.forward) }, curve("kl to B", kl) { $1.toB.cell(\.forward) },
            curve("loss, random", loss, style: .band) { index, _ in random(index) { Self.loss($0)?.mean } },
            curve("loss", loss) { Self.lossCell($1) },
            curve(isMatched ? "matched" : "right", .init("share", range: 0...1)) {
                (isMatched ? $1.rates?.matched : $1.rates?.right).map { Cell($0) } ?? .missing
            },
        ].filter { !$0.points.isEmpty }
    }

    private var notes: [String] {
        var notes = [
            "Intervals are 95 %, normal, over prompts"
                + (points.contains { $0.rates != nil } ? "; Wilson's for shares of replies." : ".")
        ]
        if (points.first?.toA.prompts.count ?? 0) < 2 { notes = ["One prompt: no interval."] }
        if let barrier, !barrier.heights.isEmpty {
            notes.append(
                "barrier: the largest loss above the line between lambda \(NumberFormat.significant(points[0].x)) and 1."
            )
        }
        if !points.contains(where: { Self.loss($0) != nil }) {
            notes.append("Nothing follows these positions: no loss; --loss-prompts names a set for it.")
        } else if barrier == nil {
            notes.append("No barrier: it needs losses at both ends, 0 and 1, and between them.")
        }
        if !result.random.isEmpty {
            notes.append(
                kind == .weights
                    ? "random: median [least, most] of \(counted(result.random.count, "random change")) of A, as long as B - A"
                        + " in each tensor."
                    : "random: median [least, most] of \(counted(result.random.count, "draw")) of as many directions,"
                        + " orthogonal to these, \(controls.summary).")
        }
        if kind == .activations {
            notes.append("At lambda 1 what is left of KL to B comes from the layers after the site.")
        }
        return notes
    }
}
