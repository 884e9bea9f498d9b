import Comparison
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `compare` on two checkpoints' logits.
struct LogitsComparisonReport {
    let pair: CheckpointPair
    let set: PromptSet
    /// Whether the set is a text from the command line, each position of which is shown.
    let isText: Bool
    let prompts: ComparedPrompts
    let position: Position
    let comparison: LogitsComparison

    /// Returns the report.
    ///
    /// - Parameter listed: The number of prompts that are listed, or nil for none.
    func report(listed: Int?) throws -> Report {
        var title = "A: \(pair.a.name), B: \(pair.b.name); \(counted(prompts.ids.count, "prompt"))"
        title += ", \(counted(comparison.positions, "position"))" + (position == .all ? "" : ", at \(position)")
        var report = Report(title: title, scalars: scalars, notes: notes)
        if isText {
            report.tables = [try byPosition]
            report.series = [positionCurve]
        } else {
            let quantiles = quantiles
            report.tables = [percentiles(quantiles)] + (byLabel.map { [$0] } ?? [])
            if let listed { report.tables.append(byPrompt(listed)) }
            report.series = curves(quantiles)
        }
        return report
    }

    // MARK: Means

    private static let unit = "nats a token"
    private static let positive = 0.0...Double.infinity

    private var scalars: [Scalar] {
        var scalars: [Scalar] = []
        func add(
            _ name: String, _ mean: ClusteredMean?, within range: ClosedRange<Double> = Self.positive,
            unit: String? = Self.unit, note: String? = nil, null: Double? = nil
        ) {
            guard let mean else { return }
            let says = [note, null.map { "null \(NumberFormat.significant($0))" }].compactMap(\.self)
            scalars.append(
                Scalar(
                    name, Cell(mean, within: range), unit: unit,
                    note: says.isEmpty ? nil : says.joined(separator: "; "), null: null))
        }
        add("kl", comparison.mean(\.forward), note: "KL(A||B)", null: 0)
        add("kl reverse", comparison.mean(\.reverse), note: "KL(B||A)", null: 0)
        add("js", comparison.mean(\.jensenShannon), note: "at most ln 2", null: 0)
        add("top-1 agreement", comparison.mean { $0.agrees ? 1 : 0 }, within: 0...1, unit: nil, null: 1)
        add("entropy A", comparison.mean(\.entropy), note: "the scale")
        add("loss A", comparison.mean { $0.next?.loss.a })
        add("loss B", comparison.mean { $0.next?.loss.b })
        let everywhere = -Double.infinity...Double.infinity
        add(
            "loss difference", comparison.mean { $0.next.map { $0.loss.b - $0.loss.a } }, within: everywhere,
            note: "B - A", null: 0)
        add(
            "delta p", comparison.mean { $0.next?.probabilityChange }, within: -1...1, unit: nil,
            note: "of the next token, B - A", null: 0)
        if let square = comparison.mean({ $0.next.map { $0.probabilityChange * $0.probabilityChange } }) {
            scalars.append(Scalar("delta p rms", Self.root(square), note: "null 0", null: 0))
        }
        return scalars
    }

    /// Returns the root of a mean square with its interval. The ends of the interval are the roots of its ends, because
    /// the root is an increasing function.
    private static func root(_ square: ClusteredMean) -> Cell {
        let value = square.mean.squareRoot()
        guard let low = square.low, let high = square.high else { return .number(value) }
        return .interval(value: value, low: max(0, low).squareRoot(), high: max(0, high).squareRoot())
    }

    private var notes: [String] {
        var notes: [String] = []
        if prompts.leftOut > 0 { notes.append("\(counted(prompts.leftOut, "prompt")) of one token left out.") }
        notes.append(
            prompts.ids.count > 1
                ? "Intervals are 95 %, normal, over prompts." : "One prompt: no interval.")
        notes.append("Nulls are those of a checkpoint beside itself, exactly.")
        let followed = comparison.mean { $0.next.map { _ in 1 } }?.count ?? 0
        if followed == 0 {
            notes.append("Nothing follows these positions: no loss and no delta p.")
        } else if followed < comparison.positions {
            notes.append(
                "Loss and delta p are of \(counted(followed, "position")) that \(agreeing(followed, "has", "have")) a next"
                    + " token.")
        }
        return notes
    }

    // MARK: Prompts

    private static let levels: [(name: String, share: Double)] = [
        ("max", 1), ("99.9", 0.999), ("99", 0.99), ("95", 0.95), ("90", 0.9), ("median", 0.5), ("10", 0.1),
        ("5", 0.05), ("1", 0.01), ("0.1", 0.001), ("min", 0),
    ]

    private typealias Measured = (column: Table.Column, isKL: Bool, quantiles: Quantiles)

    /// The quantiles, over all positions, of each quantity that was measured.
    private var quantiles: [Measured] {
        let measures: [(column: Table.Column, isKL: Bool, quantiles: Quantiles?)] = [
            (.init("KL(A||B)", unit: "nats"), true, comparison.quantiles(\.forward)),
            (.init("KL(B||A)", unit: "nats"), true, comparison.quantiles(\.reverse)),
            (.init("JS", unit: "nats"), false, comparison.quantiles(\.jensenShannon)),
            ("delta p", false, comparison.quantiles { $0.next?.probabilityChange }),
        ]
        return measures.compactMap { column, isKL, quantiles in quantiles.map { (column, isKL, $0) } }
    }

    private func percentiles(_ measured: [Measured]) -> Table {
        var table = Table(
            "percentiles", columns: [.init("percentile", alignment: .right)] + measured.map(\.column))
        for level in Self.levels {
            table.append([.text(level.name)] + measured.map { Cell($0.quantiles[level.share]) })
        }
        return table
    }

    /// The table of the measures by label, or nil for a set without labels.
    private var byLabel: Table? {
        let places = Dictionary(grouping: prompts.numbers.indices) { set.prompts[prompts.numbers[$0]].label }
        guard places.keys.contains(where: { !$0.isEmpty }) else { return nil }
        var table = Table("labels", columns: ["label", "N", "positions"] + Self.measured)
        for label in set.labels {
            guard let indices = places[label] else { continue }
            let part = comparison[indices]
            table.append(
                [PromptSet.cell(label: label), .integer(part.prompts.count), .integer(part.positions)]
                    + Self.cells(part))
        }
        return table
    }

    private func byPrompt(_ count: Int) -> Table {
        let hasLabels = prompts.numbers.contains { !set.prompts[$0].label.isEmpty }
        var table = Table(
            "prompts",
            columns: ["prompt"] + (hasLabels ? ["label"] : []) + ["positions"] + Self.measured
                + [.init("prompt text", isQuoted: true)])
        for index in comparison.largestFirst.prefix(count) {
            let prompt = set.prompts[prompts.numbers[index]]
            let part = comparison[[index]]
            table.append(
                [.integer(set.places[prompts.numbers[index]])]
                    + (hasLabels ? [prompt.labelCell] : [])
                    + [.integer(part.positions)] + Self.cells(part) + [.text(prompt.text)])
        }
        return table
    }

    private static let measured: [Table.Column] = [.init("KL(A||B)", unit: unit), "top-1 agreement"]

    private static func cells(_ part: LogitsComparison) -> [Cell] { [part.cell(\.forward), part.topCell] }

    private func curves(_ measured: [Measured]) -> [Series] {
        measured.filter(\.isKL).map { column, _, quantiles in
            Series(
                column.name, x: .init("percentile", range: 0...100), y: .init("KL", unit: "nats"),
                points: (0...100).map { .init(x: Double($0), y: quantiles[Double($0) / 100]) })
        }
    }

    // MARK: One text

    /// The positions of the text at which the predictions were compared, with their divergences.
    private var places: [(position: Int, divergence: Divergence)] {
        Array(zip(prompts.positions[0], comparison.prompts[0]).map { ($0, $1) })
    }

    private var byPosition: Table {
        get throws {
            let texts = try (pair.a.checkpoint.tokenTexts(), pair.b.checkpoint.tokenTexts())
            var table = Table(
                "positions",
                columns: [
                    "position", .init("token", isQuoted: true), .init("next", isQuoted: true),
                    .init("KL(A||B)", unit: "nats"), .init("top of A", isQuoted: true),
                    .init("top of B", isQuoted: true), "delta p",
                ])
            for (position, divergence) in places {
                table.append([
                    .integer(position), .text(texts.0.piece(prompts.ids[0][position])),
                    divergence.next.map { .text(texts.0.piece(Int32($0.token))) } ?? .missing,
                    .number(divergence.forward), .text(texts.0.piece(Int32(divergence.top.a))),
                    .text(texts.1.piece(Int32(divergence.top.b))), Cell(divergence.next?.probabilityChange),
                ])
            }
            return table
        }
    }

    private var positionCurve: Series {
        Series(
            "KL(A||B)", x: .init("position"), y: .init("KL", unit: "nats"),
            points: places.map { .init(x: Double($0.position), y: $0.divergence.forward) })
    }
}
