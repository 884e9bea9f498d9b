import Directions
import Language
import Reports
import TerminalText

/// A summary of all layers and heads of a model by their scores on one prompt.
struct AttentionSummary {
    let scores: AttentionRun.Result

    private var layers: Int { scores.layers }
    private var heads: Int { scores.heads }

    /// Returns a report that gives for each score its mean over heads, its null and the heads that stand out.
    func overview(top: Int) -> Report {
        var table = Table(
            "scores", columns: ["score", "null", .init("mean of heads"), "queries", "heads that stand out"])
        var grids: [Grid] = []
        for measure in AttentionMeasure.allCases {
            let ranked = ranked(measure)
            let mean = ranked.isEmpty ? nil : ranked.reduce(0) { $0 + $1.value } / Double(ranked.count)
            let best = ranked.prefix(top).map { "\($0.name) \(NumberFormat.significant($0.value, digits: 2))" }
            let unit = measure.axis.unit.map { " (\($0))" } ?? ""
            table.append([
                .text(measure.name + unit), Cell(scores.null(measure)), Cell(mean), .integer(scores.count(measure)),
                best.isEmpty ? .missing : .text(best.joined(separator: ", ")),
            ])
            if !ranked.isEmpty { grids.append(grid(measure)) }
        }
        return Report(
            title: "attention, \(layers) layers of \(heads) heads", tables: [table], grids: grids,
            notes: notes + (scores.count(.induction) > 0 ? [] : ["No token comes again: no induction."]))
    }

    /// Returns a report on one score, which lists the heads that have most of it first. For entropy the heads that have
    /// least come first.
    ///
    /// - Throws: `CommandError` if the prompt has no query at which the score can be taken.
    func ranking(_ measure: AttentionMeasure, top: Int) throws -> Report {
        guard let null = scores.null(measure) else {
            throw CommandError(
                "no token of the text comes again, so there is no \(measure.name) to measure",
                remedy: "write the text twice")
        }
        var table = Table(
            "heads",
            columns: ["head", .init(measure.name, unit: measure.axis.unit), .init("null", unit: measure.axis.unit)])
        let ranked = ranked(measure)
        for head in ranked.prefix(top) {
            table.append([.text(head.name), .number(head.value), Cell(scores.null(measure, layer: head.layer))])
        }
        return Report(
            title: "\(measure.phrase), \(layers) layers of \(heads) heads",
            scalars: [
                Scalar(
                    "mean of heads", .number(ranked.reduce(0) { $0 + $1.value } / Double(ranked.count)),
                    unit: measure.axis.unit, null: null),
                Scalar("null", .number(null), unit: measure.axis.unit, note: "uniform attention"),
                Scalar("queries", .integer(scores.count(measure))),
            ], tables: [table], grids: [grid(measure)], notes: notes)
    }

    private var notes: [String] {
        let differ = (1..<max(layers, 1)).contains {
            scores.null(.entropy, layer: $0) != scores.null(.entropy, layer: 0)
        }
        return [AttentionRun.nullNote]
            + (differ ? ["Some layers see a window shorter than the prompt: the null is the mean of theirs."] : [])
    }

    private func ranked(_ measure: AttentionMeasure) -> [(name: String, layer: Int, value: Double)] {
        let all = (0..<layers).flatMap { layer in
            (0..<heads).compactMap { head in
                scores.mean(measure, layer: layer, head: head).map {
                    (name: "L\(layer)H\(head)", layer: layer, value: $0)
                }
            }
        }
        // Equal heads stay in order. The function `sorted(by:)` does not guarantee that by itself.
        return all.enumerated().sorted { a, b in
            if a.element.value == b.element.value { return a.offset < b.offset }
            return (a.element.value > b.element.value) != (measure == .entropy)
        }.map(\.element)
    }

    private func grid(_ measure: AttentionMeasure) -> Grid {
        var axis = measure.axis
        if axis.range == nil, let most = (0..<layers).compactMap({ scores.null(measure, layer: $0) }).max() {
            // No pattern has more entropy than the uniform one, and none has more than twice its mean distance.
            axis.range = 0...(measure == .distance ? 2 * most : most)
        }
        if let null = scores.null(measure) {
            axis.label += ", uniform \(NumberFormat.significant(null, digits: 3))"
        }
        return Grid(
            measure.name, rows: .init("layer", count: layers), columns: .init("head", count: heads), value: axis,
            values: (0..<layers).flatMap { layer in
                (0..<heads).map { scores.mean(measure, layer: layer, head: $0) }
            })
    }
}

extension AttentionRun {
    static let nullNote =
        "Null: uniform attention over the keys that a query sees; means over queries from 1 on."
}
