import Directions
import Reports
import TerminalText
import Workbench

/// The tokens of a prompt, under the names that reports on attention give them.
struct AttentionPrompt {
    /// The labels of the tokens, such as `3 " of"`. A label contains the position, so that equal tokens can be told
    /// apart, and the text.
    let labels: [String]
    private let found: AttentionRun.Result

    init(ids: [Int32], texts: TokenTexts, found: AttentionRun.Result) {
        self.found = found
        labels = ids.enumerated().map { "\($0.offset) \"\(texts.piece($0.element))\"" }
    }

    /// Returns the report on one head. It shows the pattern as numbers if the text is small, and otherwise the
    /// strongest keys of each query.
    ///
    /// - Parameters:
    ///   - head: The head.
    ///   - layer: The layer.
    ///   - top: The number of keys that are listed for each query.
    ///   - isSmall: Whether the pattern is shown number by number.
    func head(_ head: Int, layer: Int, top: Int, isSmall: Bool) -> Report {
        let table = isSmall ? numbers(head) : strongest(head, top: top)
        return Report(
            title: "attention pattern, layer \(layer), head \(head)",
            scalars: AttentionMeasure.allCases.compactMap { found.scalar($0, layer: layer, head: head) },
            tables: [table], grids: [grid(head, named: "head \(head)")],
            notes: [AttentionRun.nullNote])
    }

    /// Returns the report on all heads of a layer: their scores, and their patterns if these were kept.
    func layer(_ layer: Int) -> Report {
        let heads = found.heads
        let measures = AttentionMeasure.allCases
        var table = Table(
            "heads",
            columns: [.init("head", alignment: .right)]
                + measures.map { .init($0.name, unit: $0.axis.unit, digits: 3) })
        for head in 0..<heads {
            table.append([.integer(head)] + measures.map { Cell(found.mean($0, layer: layer, head: head)) })
        }
        table.append([.text("null")] + measures.map { Cell(found.null($0, layer: layer)) })
        table.append([.text("queries")] + measures.map { .integer(found.count($0)) })
        var notes = [AttentionRun.nullNote]
        if !found.hasPatterns { notes.append("The patterns are large and were not kept; choose one with --head.") }
        return Report(
            title: "attention, layer \(layer)", tables: [table],
            grids: found.hasPatterns ? (0..<heads).map { grid($0, named: "head \($0)") } : [], notes: notes)
    }

    private func numbers(_ head: Int) -> Table {
        var table = Table(
            "pattern",
            columns: [.init("query")] + labels.indices.map { .init("key \($0)", alignment: .right, digits: 2) })
        for query in labels.indices {
            table.append(
                [.text(labels[query])]
                    + labels.indices.map { key in
                        found.sees(query: query, key: key)
                            ? .number(Double(found.probability(head: head, query: query, key: key))) : .missing
                    })
        }
        return table
    }

    private func strongest(_ head: Int, top: Int) -> Table {
        let count = min(top, labels.count)
        var table = Table("strongest keys", columns: [.init("query")])
        for rank in 1...count { table.columns += [.init("key \(rank)"), .init("p \(rank)", digits: 2)] }
        for query in labels.indices {
            let shares = (0...query).map { found.probability(head: head, query: query, key: $0) }
            let best = shares.indices.filter { found.sees(query: query, key: $0) }.sorted {
                (shares[$0], $1) > (shares[$1], $0)
            }.prefix(count)
            let cells = best.flatMap { [Cell.text(labels[$0]), .number(Double(shares[$0]))] }
            table.append(
                [.text(labels[query])] + cells + [Cell](repeating: .missing, count: 2 * count - cells.count))
        }
        return table
    }

    private func grid(_ head: Int, named name: String) -> Grid {
        var values: [Double?] = []
        values.reserveCapacity(labels.count * labels.count)
        for query in labels.indices {
            for key in labels.indices {
                values.append(
                    found.sees(query: query, key: key)
                        ? Double(found.probability(head: head, query: query, key: key)) : nil)
            }
        }
        return Grid(
            name, rows: .init("query", labels: labels), columns: .init("key", labels: labels),
            value: .init("probability", range: 0...1), values: values)
    }
}

extension AttentionRun.Result {
    fileprivate func scalar(_ measure: AttentionMeasure, layer: Int, head: Int) -> Scalar? {
        guard let mean = mean(measure, layer: layer, head: head), let null = null(measure, layer: layer) else {
            return nil
        }
        return Scalar(
            measure.name, .number(mean), unit: measure.axis.unit,
            note: "null \(NumberFormat.significant(null)), \(counted(count(measure), "query", "queries"))")
    }
}
