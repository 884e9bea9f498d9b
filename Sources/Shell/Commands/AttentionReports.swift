import Models
import Reports
import Tokenizers

/// A prompt's tokens as they are named in reports on attention.
struct AttentionPrompt {
    /// `3 " of"`: the position, so that equal tokens can be told apart, and the text.
    let labels: [String]
    /// Keys that a query of the layer in question sees, itself included; nil: all before it.
    private let window: Int?

    init(ids: [Int32], tokenizer: Tokenizer, window: Int?) {
        self.window = window
        labels = ids.enumerated().map { "\($0.offset) \"\(tokenizer.piece($0.element))\"" }
    }

    private func sees(query: Int, key: Int) -> Bool { key <= query && query - key < window ?? .max }

    /// One head: its pattern as numbers if it is small, else each query's strongest keys.
    func head(
        _ head: Int, layer: Int, _ patterns: PatternCollector, _ scores: AttentionScores, top: Int, isSmall: Bool
    ) -> Report {
        let table = isSmall ? numbers(head, patterns) : strongest(head, patterns, top: top)
        return Report(
            title: "attention pattern, layer \(layer), head \(head)",
            scalars: AttentionScores.Measure.allCases.compactMap { scores.scalar($0, layer: layer, head: head) },
            tables: [table], grids: [grid(head, patterns, named: "head \(head)")],
            notes: [AttentionScores.nullNote])
    }

    /// All heads of a layer: what each does, and if there is room their patterns.
    func layer(_ layer: Int, heads: Int, _ patterns: PatternCollector?, _ scores: AttentionScores) -> Report {
        let measures = AttentionScores.Measure.allCases
        var table = Table(
            "heads",
            columns: [.init("head", alignment: .right)]
                + measures.map { .init($0.name, unit: $0.axis.unit, digits: 3) })
        for head in 0..<heads {
            table.append([.integer(head)] + measures.map { Cell(scores.mean($0, layer: layer, head: head)) })
        }
        table.append([.text("null")] + measures.map { Cell(scores.null($0, layer: layer)) })
        table.append([.text("queries")] + measures.map { .integer(scores.count($0)) })
        var notes = [AttentionScores.nullNote]
        if patterns == nil { notes.append("The patterns are large and were not kept; choose one with --head.") }
        return Report(
            title: "attention, layer \(layer)", tables: [table],
            grids: patterns.map { patterns in
                (0..<heads).map { grid($0, patterns, named: "head \($0)") }
            } ?? [], notes: notes)
    }

    private func numbers(_ head: Int, _ patterns: PatternCollector) -> Table {
        var table = Table(
            "pattern",
            columns: [.init("query")] + labels.indices.map { .init("key \($0)", alignment: .right, digits: 2) })
        for query in labels.indices {
            table.append(
                [.text(labels[query])]
                    + labels.indices.map { key in
                        sees(query: query, key: key)
                            ? .number(Double(patterns.probability(head: head, query: query, key: key))) : .missing
                    })
        }
        return table
    }

    private func strongest(_ head: Int, _ patterns: PatternCollector, top: Int) -> Table {
        let count = min(top, labels.count)
        var table = Table("strongest keys", columns: [.init("query")])
        for rank in 1...count { table.columns += [.init("key \(rank)"), .init("p \(rank)", digits: 2)] }
        for query in labels.indices {
            let shares = (0...query).map { patterns.probability(head: head, query: query, key: $0) }
            let best = shares.indices.filter { sees(query: query, key: $0) }.sorted {
                (shares[$0], $1) > (shares[$1], $0)
            }.prefix(count)
            let cells = best.flatMap { [Cell.text(labels[$0]), .number(Double(shares[$0]))] }
            table.append(
                [.text(labels[query])] + cells + [Cell](repeating: .missing, count: 2 * count - cells.count))
        }
        return table
    }

    private func grid(_ head: Int, _ patterns: PatternCollector, named name: String) -> Grid {
        var values: [Double?] = []
        values.reserveCapacity(labels.count * labels.count)
        for query in labels.indices {
            for key in labels.indices {
                values.append(
                    sees(query: query, key: key)
                        ? Double(patterns.probability(head: head, query: query, key: key)) : nil)
            }
        }
        return Grid(
            name, rows: .init("query", labels: labels), columns: .init("key", labels: labels),
            value: .init("probability", range: 0...1), values: values)
    }
}

/// All layers and heads of a model in the scores of one prompt.
struct AttentionSummary {
    let scores: AttentionScores
    let layers: Int
    let heads: Int

    /// For each score its mean over heads, its null and the heads that stand out.
    func overview(top: Int) -> Report {
        var table = Table(
            "scores", columns: ["score", "null", .init("mean of heads"), "queries", "heads that stand out"])
        var grids: [Grid] = []
        for measure in AttentionScores.Measure.allCases {
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

    /// One score, the heads that have most of it first; of entropy those that have least.
    ///
    /// - Throws: `CommandError` if the prompt has no query to take the score at.
    func ranking(_ measure: AttentionScores.Measure, top: Int) throws -> Report {
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
                    unit: measure.axis.unit),
                Scalar("null", .number(null), unit: measure.axis.unit, note: "uniform attention"),
                Scalar("queries", .integer(scores.count(measure))),
            ], tables: [table], grids: [grid(measure)], notes: notes)
    }

    private var notes: [String] {
        let differ = (1..<max(layers, 1)).contains {
            scores.null(.entropy, layer: $0) != scores.null(.entropy, layer: 0)
        }
        return [AttentionScores.nullNote]
            + (differ ? ["Some layers see a window shorter than the prompt: the null is the mean of theirs."] : [])
    }

    private func ranked(_ measure: AttentionScores.Measure) -> [(name: String, layer: Int, value: Double)] {
        let all = (0..<layers).flatMap { layer in
            (0..<heads).compactMap { head in
                scores.mean(measure, layer: layer, head: head).map {
                    (name: "L\(layer)H\(head)", layer: layer, value: $0)
                }
            }
        }
        // Equal heads stay in order: sorted(by:) promises nothing of the kind.
        return all.enumerated().sorted { a, b in
            if a.element.value == b.element.value { return a.offset < b.offset }
            return (a.element.value > b.element.value) != (measure == .entropy)
        }.map(\.element)
    }

    private func grid(_ measure: AttentionScores.Measure) -> Grid {
        var axis = measure.axis
        if axis.range == nil, let most = (0..<layers).compactMap({ scores.null(measure, layer: $0) }).max() {
            // No pattern has more entropy than the uniform one, nor a mean distance above twice its.
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

extension AttentionScores {
    fileprivate static let nullNote =
        "Null: uniform attention over the keys that a query sees; means over queries from 1 on."

    fileprivate func scalar(_ measure: Measure, layer: Int, head: Int) -> Scalar? {
        guard let mean = mean(measure, layer: layer, head: head), let null = null(measure, layer: layer) else {
            return nil
        }
        return Scalar(
            measure.name, .number(mean), unit: measure.axis.unit,
            note: "null \(NumberFormat.significant(null)), \(counted(count(measure), "query", "queries"))")
    }
}
