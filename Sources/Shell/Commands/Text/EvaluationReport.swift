import Reports
import Statistics
import TerminalText
import Workbench

/// The report on evaluations of the same prompts: rates with intervals, overall and by label, and the prompts to be
/// listed.
struct EvaluationReport {
    /// The evaluations, one for each checkpoint and at least one.
    let evaluations: [Evaluation]
    let hasAnswers: Bool
    let markers: Markers?

    private var set: PromptSet { evaluations[0].set }
    private var isSingle: Bool { evaluations.count == 1 }

    /// Whether some prompts have answers and others have none.
    private var isPartlyAnswered: Bool { hasAnswers && set.prompts.contains { $0.answers.isEmpty } }

    var scalars: [Scalar] {
        guard isSingle else { return [] }
        let evaluation = evaluations[0]
        var scalars: [Scalar] = []
        func add(_ name: String, _ share: Proportion, null: Double? = nil) {
            scalars.append(Scalar(name, Cell(share), note: "\(share.successes) of \(share.trials)", null: null))
        }
        if hasAnswers {
            add("right", evaluation.right(evaluation.all), null: evaluation.chance)
            scalars.append(
                Scalar(
                    "right by chance", Cell(evaluation.chance),
                    note: "the null: each reply against the other prompts' answers"))
        }
        if markers != nil { add("matched", evaluation.matched(evaluation.all)) }
        if isPartlyAnswered {
            scalars.append(Scalar("with answers", .integer(evaluation.right(evaluation.all).trials)))
        }
        scalars.append(Scalar("prompts", .integer(evaluation.replies.count)))
        return scalars + evaluation.endings.scalars()
    }

    /// Returns the tables of the report.
    ///
    /// - Parameters:
    ///   - listing: The prompts that are listed, or nil for none.
    ///   - limit: The largest number of prompts that are listed for each checkpoint.
    func tables(_ listing: Evaluation.Listing?, limit: Int) -> [Table] {
        var tables = [overall]
        if set.hasLabels { tables.append(labels) }
        if let markers { tables.append(counts(markers)) }
        if let listing { tables.append(byCheckpoint { prompts($0, listing, limit: limit) }) }
        return tables
    }

    /// Returns a sentence that says how many prompts were not listed, or nil if all were.
    func listingNote(_ listing: Evaluation.Listing, limit: Int) -> String? {
        let left = evaluations.reduce(0) { $0 + max(0, $1.prompts(listing).count - limit) }
        return left > 0 ? "\(counted(left, "more prompt")) \(agreeing(left)) not listed." : nil
    }

    private func byCheckpoint(_ table: (Evaluation) -> Table) -> Table {
        isSingle
            ? table(evaluations[0]) : Table(joining: evaluations.map { ($0.name, table($0)) }, by: "checkpoint")
    }

    /// The table with one row for each checkpoint. The rates come first, so that one of them is the report's first
    /// number.
    private var overall: Table {
        var columns: [Table.Column] = ["checkpoint"]
        if hasAnswers { columns += ["right", "right by chance"] }
        if markers != nil { columns.append("matched") }
        if isPartlyAnswered { columns.append("with answers") }
        var table = Table("checkpoints", columns: columns + ReplyEndings.columns(evaluations.map(\.endings)) + ["N"])
        table.repeatsScalars = isSingle
        for evaluation in evaluations {
            var row: [Cell] = [.text(evaluation.name)]
            let right = evaluation.right(evaluation.all)
            if hasAnswers { row += [Cell(right), Cell(evaluation.chance)] }
            if markers != nil { row.append(Cell(evaluation.matched(evaluation.all))) }
            if isPartlyAnswered { row.append(.integer(right.trials)) }
            table.append(row + evaluation.endings.cells + [.integer(evaluation.replies.count)])
        }
        return table
    }

    /// The table of rates with one row for each label.
    private var labels: Table {
        let places = Dictionary(grouping: set.prompts.indices) { set.prompts[$0].label }
        return byCheckpoint { evaluation in
            var columns: [Table.Column] = ["label"]
            if hasAnswers { columns.append("right") }
            if markers != nil { columns.append("matched") }
            if isPartlyAnswered { columns.append("with answers") }
            var table = Table("labels", columns: columns + ["N"])
            for label in set.labels {
                let prompts = places[label] ?? []
                let right = evaluation.right(prompts)
                var row: [Cell] = [PromptSet.cell(label: label)]
                if hasAnswers { row.append(Cell(right)) }
                if markers != nil { row.append(Cell(evaluation.matched(prompts))) }
                if isPartlyAnswered { row.append(.integer(right.trials)) }
                table.append(row + [.integer(prompts.count)])
            }
            return table
        }
    }

    /// Returns the table with one row for each marker, in which the most frequent marker comes first.
    private func counts(_ markers: Markers) -> Table {
        byCheckpoint { evaluation in
            var table = Table("markers", columns: [.init("marker", isQuoted: true), "count", "share of matched"])
            let matched = evaluation.matched(evaluation.all).successes
            let counts = markers.phrases.indices.map { ($0, evaluation.count(ofMarker: $0)) }
            for (marker, count) in counts.sorted(by: { ($1.1, $0.0) < ($0.1, $1.0) }) {
                table.append([
                    .text(markers.phrases[marker]), .integer(count),
                    Cell(Proportion(successes: count, trials: matched)),
                ])
            }
            return table
        }
    }

    private func prompts(_ evaluation: Evaluation, _ listing: Evaluation.Listing, limit: Int) -> Table {
        var columns: [Table.Column] = ["prompt"]
        if set.hasLabels { columns.append("label") }
        if hasAnswers { columns.append("right") }
        if markers != nil { columns.append(.init("marker", isQuoted: true)) }
        columns.append(.init("prompt text", isQuoted: true))
        if hasAnswers { columns.append(.init("answers", isQuoted: true)) }
        columns.append(.init("continuation", isQuoted: true))
        var table = Table("prompts", columns: columns)
        for index in evaluation.prompts(listing).prefix(limit) {
            let prompt = set.prompts[index]
            var row: [Cell] = [.integer(set.places[index])]
            if set.hasLabels { row.append(prompt.labelCell) }
            if hasAnswers { row.append(evaluation.isRight[index].map { $0 ? "yes" : "no" } ?? .missing) }
            if let markers { row.append(evaluation.found[index].first.map { .text(markers.phrases[$0]) } ?? .missing) }
            row.append(.text(prompt.text))
            if hasAnswers { row.append(prompt.answersCell) }
            row.append(.text(evaluation.replies[index]))
            table.append(row)
        }
        return table
    }
}
