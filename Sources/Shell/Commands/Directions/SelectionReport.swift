import Directions
import Reports
import Sites
import Statistics
import TerminalText

/// The report of `select`: the chosen direction, every candidate, and the amount of work.
struct SelectionReport {
    let names: (positive: String, negative: String)
    let result: SelectionRun.Result
    let options: CandidateSelection.Options
    let layers: Int

    private var found: SelectedDirection { result.selected }
    private var chosen: DirectionCandidate? { found.chosen.map { found.candidates[$0] } }

    var report: Report {
        let kept = found.candidates.count(where: \.isKept)
        return Report(
            title:
                "\(names.positive) against \(names.negative): \(counted(found.candidates.count, "candidate")), \(kept)"
                + " kept; "
                + (chosen.map { "chosen \($0.site.shortName), position \($0.position)" } ?? "none can be chosen"),
            scalars: scalars, tables: [tokens, candidates], grids: grids, notes: notes)
    }

    // MARK: Numbers

    /// Makes a cell of the mean over prompts with its interval. The cell is missing if there are no values.
    private static func cell(_ values: [Double]?, within range: ClosedRange<Double> = -.infinity ... .infinity) -> Cell
    {
        guard let mean = values.flatMap({ ClusteredMean($0.map { [$0] }) }) else { return .missing }
        return Cell(mean, within: range)
    }

    private static let divergences = 0.0...Double.infinity

    private var scalars: [Scalar] {
        var scalars: [Scalar] = []
        let base = found.base
        let (positive, negative) = (base.positive.count, base.negative.count)
        if let chosen {
            scalars += [
                Scalar(
                    "bypass", Self.cell(chosen.bypass),
                    note: "score of \(counted(positive, "positive")) without it; null as they are",
                    null: mean(base.positive)),
                Scalar(
                    "induce", Self.cell(chosen.induce),
                    note: "score of \(counted(negative, "negative")) with it added; null as they are",
                    null: mean(base.negative)),
                Scalar(
                    "kl", Self.cell(chosen.divergence, within: Self.divergences), unit: "nats",
                    note: "of the negatives' next token without it", null: 0),
                Scalar("layer", .integer(chosen.layer), note: "of \(layers), at resid_pre"),
                Scalar("position", .integer(chosen.position), note: "from the end of a prompt"),
                Scalar("length", .number(chosen.length), note: "of the difference in means"),
            ]
        }
        scalars += [
            Scalar("score positive", Self.cell(base.positive), note: "\(counted(positive, "prompt")) of validation"),
            Scalar("score negative", Self.cell(base.negative), note: "\(counted(negative, "prompt")) of validation"),
            Scalar("kept", .integer(found.candidates.count(where: \.isKept)), note: "of \(found.candidates.count)"),
            Scalar("train positive", .integer(found.train.positive), unit: "prompts"),
            Scalar("train negative", .integer(found.train.negative), unit: "prompts"),
            Scalar(
                "token-layers", .integer(found.tokenLayers + result.contrastTokenLayers),
                note: "tokens times layers run"),
            Scalar(
                "naive token-layers", .integer(found.naiveTokenLayers + result.contrastTokenLayers),
                note: "three whole runs a candidate"),
        ]
        return scalars
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private var tokens: Table {
        var table = Table(
            "tokens", columns: ["id", .init("token", isQuoted: true), "p positive", "p negative"])
        for row in result.tokens.rows {
            table.append([.integer(row.id), .text(row.text), Cell(row.positive), Cell(row.negative)])
        }
        return table
    }

    private var candidates: Table {
        var table = Table(
            "candidates",
            columns: ["layer", "position", "length", "bypass", "induce", .init("kl", unit: "nats"), "out"])
        for (index, candidate) in found.candidates.enumerated() {
            let reasons = candidate.rejections.map(\.rawValue).joined(separator: ", ")
            table.append([
                .integer(candidate.layer), .integer(candidate.position), .number(candidate.length),
                Self.cell(candidate.bypass), Self.cell(candidate.induce),
                Self.cell(candidate.divergence, within: Self.divergences),
                index == found.chosen ? "chosen" : reasons.isEmpty ? .missing : .text(reasons),
            ])
        }
        return table
    }

    // MARK: Pictures

    private var grids: [Grid] {
        let positions = found.candidates.prefix { $0.layer == 0 }.map(\.position)
        func grid(_ name: String, unit: String? = nil, _ value: (DirectionCandidate) -> Double?) -> Grid {
            var values = [Double?](repeating: nil, count: positions.count * layers)
            for (index, candidate) in found.candidates.enumerated() {
                values[index % positions.count * layers + candidate.layer] = value(candidate)
            }
            return Grid(
                name, rows: .init("position", labels: positions.map(String.init)),
                columns: .init("layer", count: layers), value: .init(name, unit: unit), values: values)
        }
        return [
            grid("bypass") { $0.meanBypass }, grid("induce") { $0.meanInduce },
            grid("kl", unit: "nats") { $0.meanDivergence },
        ]
    }

    // MARK: Notes

    private var notes: [String] {
        var notes = [
            "Scores are ln(p + 1e-8) - ln(1 - p + 1e-8) of the tokens together; intervals are 95 %, normal, over prompts."
        ]
        if chosen != nil {
            let kept = found.candidates.count(where: \.isKept)
            if kept > 1 {
                notes.append(
                    "The chosen bypass is the lowest of \(kept) on the same prompts, so it flatters a little: see effect."
                )
            }
        }
        if !options.scoresEvery {
            notes.append("A candidate that is out is measured no further; --every measures all.")
        }
        for text in result.tokens.longer {
            notes.append("\"\(text.escapedForTerminal)\" is more than one token: the first counts.")
        }
        let left = (found.leftOut.positive, found.leftOut.negative)
        if left.0 + left.1 > 0 {
            notes.append(
                "Left out for a score on the wrong side: \(left.0) positive and \(left.1) negative prompts (--no-filter keeps"
                    + " them).")
        }
        if found.sharedTokens > 0 {
            let share = NumberFormat.significant(100 * found.sharedShare, digits: 2)
            notes.append(
                "All prompts begin with the same \(counted(found.sharedTokens, "token")), \(share) % of the work.")
        }
        if chosen == nil {
            notes.append("No candidate is kept: every one is out for the reason in its row.")
        }
        return notes
    }
}
