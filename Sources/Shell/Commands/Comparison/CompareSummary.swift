import Comparison
import Geometry
import Language
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `compare A B` when no measure is named: a few numbers for the weights and, if prompts are given, for
/// the logits and for the activations with their geometry. Each number stands beside its null value and, where one is
/// known, the tensor or site at which it was found. If one of these parts can't be compared, a note says why, and the
/// others are reported all the same.
struct CompareSummary {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    /// The largest number of prompts whose activations and losses are compared.
    private static let promptLimit = 1024

    /// The rows and notes of one level.
    private struct Level {
        var rows: [[Cell]] = []
        var notes: [String] = []
    }

    func outcome() throws -> Outcome {
        let set = try command.prompts.map { try session.studied(named: $0) }
        let choices = try command.options.choices(session)
        let differences = try pair.differences().count
        var levels = [
            Level(rows: [row("settings", "settings that differ", .integer(differences), null: .integer(0))]),
            try level("weights") { try weights(differences) },
        ]
        if let set {
            guard set.prompts.count <= Self.promptLimit else {
                throw CommandError(
                    "the summary takes at most \(Self.promptLimit) prompts, and \(command.prompts ?? "the set") has"
                        + " \(set.prompts.count)", remedy: "make a smaller set with: prompts FILE --sample 500")
            }
            levels.append(try level("logits") { try logits(set, choices) })
            levels.append(try level("activations, geometry") { try activations(set, choices) })
        }
        var table = Table("summary", columns: ["level", "measure", "value", "null", "unit", "where"])
        for row in levels.flatMap(\.rows) { table.append(row) }
        var report = Report(
            title: "A: \(pair.a.name), B: \(pair.b.name)"
                + (set.map { "; \(counted($0.prompts.count, "prompt"))" } ?? ""),
            tables: [table], notes: levels.flatMap(\.notes))
        report.notes.append(
            "The least and the largest are of all sites, each with its own interval. null: a checkpoint beside itself. compare A B weights|logits|activations|geometry|text show the whole, with the"
                + " nulls of each.")
        if set == nil { report.notes.append("--prompts SET compares logits, activations and geometry too.") }
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint], precision: choices.precision)
        return Outcome(report)
    }

    /// Returns the result of one level, or a note with the reason why it could not be compared.
    ///
    /// - Throws: `CancellationError`, and the error for a file that changed, which are not turned into notes.
    private func level(_ name: String, _ body: () throws -> Level) throws -> Level {
        do {
            return try body()
        } catch let error as CancellationError {
            throw error
        } catch  where ChangedFile(error) == nil {
            return Level(notes: ["Not compared: \(name): \(CommandError.words(error))."])
        }
    }

    private func row(
        _ level: String, _ measure: String, _ value: Cell, null: Cell, unit: String? = nil, at place: String? = nil
    ) -> [Cell] {
        [
            .text(level), .text(measure), value, null, unit.map { .text($0) } ?? .missing,
            place.map { .text($0) } ?? .missing,
        ]
    }

    private func weights(_ differences: Int) throws -> Level {
        let pairs = try pair.tensors(in: session.context())
        let found = try pair.compare(pairs, in: session.context())
        guard let total = found.total else {
            throw CommandError("no tensor is finite on both sides", remedy: "verify says which hold NaN")
        }
        func row(_ measure: String, _ value: Double?, _ null: Double, _ place: String? = nil) -> [Cell] {
            self.row("weights", measure, value.map { .number($0) } ?? .missing, null: .number(null), at: place)
        }
        let finite = found.rows.filter(\.difference.isFinite)
        let most = finite.max { ($0.difference.relativeChange ?? 0) < ($1.difference.relativeChange ?? 0) }
        let changed = finite.count { !$0.difference.isIdentical }
        var level = Level(rows: [
            row("relative change", total.relativeChange, 0),
            row("largest of a tensor", most?.difference.relativeChange, 0, changed > 0 ? most?.pair.name : nil),
            row(
                "tensors changed", Double(changed), 0,
                "of \(finite.count)" + (differences == 0 ? "" : "; settings differ")),
        ])
        if finite.count < found.rows.count {
            level.notes.append("\(counted(found.rows.count - finite.count, "tensor")) with NaN or Inf left out.")
        }
        if let edited = [pair.a, pair.b].first(where: { !$0.checkpoint.edits.active.isEmpty }) {
            level.notes.append("Weights are those of the files: the edits in force on \(edited.name) are not in them.")
        }
        if !pairs.unpaired.isEmpty {
            level.notes.append(
                "\(counted(pairs.unpaired.count, "tensor")) without a partner of the same name and shape.")
        }
        return level
    }

    private func logits(_ set: PromptSet, _ choices: RunChoices) throws -> Level {
        try pair.checkSameVocabulary()
        let compared = try pair.encode(set, at: .all, in: session.context())
        let found = try LogitsComparisonRun(session.context(), pair, compared, choices: choices).run()
        func row(
            _ measure: String, _ unit: String?, _ null: Double, _ range: ClosedRange<Double>,
            _ of: (Divergence) -> Double?
        ) -> [Cell] {
            self.row(
                "logits", measure, found.mean(of).map { Cell($0, within: range) } ?? .missing, null: .number(null),
                unit: unit)
        }
        let positive = 0.0...Double.infinity
        return Level(rows: [
            row("KL(A||B)", "nats a token", 0, positive) { $0.forward },
            row("KL(B||A)", "nats a token", 0, positive) { $0.reverse },
            row("JS", "nats a token", 0, positive) { $0.jensenShannon },
            row("top-1 agreement", nil, 1, 0...1) { $0.agrees ? 1 : 0 },
            row("loss difference", "nats a token", 0, -Double.infinity...Double.infinity) {
                $0.next.map { $0.loss.b - $0.loss.a }
            },
        ])
    }

    private func activations(_ set: PromptSet, _ choices: RunChoices) throws -> Level {
        let activations = try PairedActivations(
            pair, set, sites: nil, at: .last, choices: choices, in: session.context())
        let shapes = try activations.shapes(in: session.context())
        let found = shapes.compactMap { site in site.measurement.map { (site.site.shortName, $0) } }
        var level = Level()
        if let least = found.min(by: { $0.1.cka.value < $1.1.cka.value }) {
            let cka = least.1.cka
            let half = cka.spread.map { Proportion.z95 * $0 }
            level.rows.append(
                row(
                    "activations", "CKA, the least",
                    half.map {
                        .interval(value: cka.value, low: cka.value - $0, high: min(1, cka.value + $0))
                    } ?? .number(cka.value), null: .number(1), at: least.0))
        }
        for name in ["PR", "TwoNN"] {
            let ratios = found.compactMap { place, shape in
                shape.dimensions.first { $0.name == name }.map { (place, $0) }
            }
            guard let most = ratios.max(by: { abs($0.1.logRatio) < abs($1.1.logRatio) }) else { continue }
            let (value, half) = (most.1.logRatio, most.1.ratioSpread.map { Proportion.z95 * $0 })
            level.rows.append(
                row(
                    "geometry", "ln of \(name) B / A, the largest",
                    half.map { .interval(value: value, low: value - $0, high: value + $0) } ?? .number(value),
                    null: .number(0), at: most.0))
        }
        level.rows.append(
            row(
                "geometry", "sites of unchanged shape", .integer(found.count { $0.1.finding == .unchanged }),
                null: .integer(found.count), at: "of \(found.count)"))
        for case (let site, .failure(let error)) in shapes.map({ ($0.site.shortName, $0.result) }) {
            level.notes.append("Not measured: \(site): \(CommandError.words(error)).")
        }
        return level
    }
}
