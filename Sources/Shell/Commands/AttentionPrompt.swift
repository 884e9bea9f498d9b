import Models
import Reports
import TerminalText
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

extension AttentionScores {
    fileprivate func scalar(_ measure: Measure, layer: Int, head: Int) -> Scalar? {
        guard let mean = mean(measure, layer: layer, head: head), let null = null(measure, layer: layer) else {
            return nil
        }
        return Scalar(
            measure.name, .number(mean), unit: measure.axis.unit,
            note: "null \(NumberFormat.significant(null)), \(counted(count(measure), "query", "queries"))")
    }
}
