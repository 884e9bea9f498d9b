import Provenance
import Reports
import Statistics
import TerminalText
import Workbench

extension Continuations {
    func report(_ mode: OutputMode, notes: [String], recipe: Recipe) -> Report {
        var report = Report(notes: notes, recipe: recipe)
        let isForPrograms = mode.isForPrograms
        if isSingle {
            report.text = wholeTexts[0]
            if isForPrograms || hasScores {
                report.scalars = [
                    Scalar("new tokens", .integer(newTokens)), Scalar("prompt tokens", .integer(prompts[0].count)),
                    Scalar("ended by", .text(results[0].end)),
                    Scalar("log-probability", Cell(results[0].meanLogProbability), unit: "nats a token"),
                ]
            }
        } else {
            report.tables.append(table)
        }
        if isForPrograms || hasScores { report.tables.append(tokens) }
        return report
    }

    /// Returns the continuations of one text in a form for people to read. It is nil for prompts of a set, for which a
    /// table is clearer, and for a single continuation that needs no heading.
    ///
    /// - Parameter name: The name of the checkpoint, which is given where there are several.
    func blocks(_ name: String? = nil) -> String? {
        guard promptSet == nil, name != nil || !isSingle else { return nil }
        let (texts, results) = (wholeTexts, results)
        return begun.map { index in
            let continuation = results[index]
            let mean = continuation.meanLogProbability.map { "\(NumberFormat.significant($0)) nats a token" } ?? "empty"
            let heading = [counted(continuation.tokens.count, "token"), continuation.end, mean].joined(separator: ", ")
            let number = isSingle ? [] : ["\(continuation.number)"]
            return "[\(((name.map { [$0] } ?? []) + number).joined(separator: " "))] \(heading)\n\(texts[index])"
        }.joined(separator: "\n\n")
    }

    /// The table of continuations, with one row for each.
    var table: Table {
        let labels = promptSet?.hasLabels ?? false
        var columns: [Table.Column] = promptSet == nil ? [] : ["prompt"]
        if labels { columns.append("label") }
        if count > 1 { columns.append("number") }
        columns += ["tokens", "ended by", .init("log-probability", unit: "nats a token")]
        if promptSet != nil { columns.append(.init("prompt text", isQuoted: true)) }
        columns.append(.init("continuation", isQuoted: true))
        var table = Table("continuations", columns: columns)
        let (texts, results) = (wholeTexts, results)
        for index in begun {
            let continuation = results[index]
            let prompt = promptSet?.prompts[continuation.prompt]
            var row: [Cell] = prompt == nil ? [] : [.integer(continuation.prompt)]
            if labels { row.append(prompt?.labelCell ?? .missing) }
            if count > 1 { row.append(.integer(continuation.number)) }
            row += [
                .integer(continuation.tokens.count), .text(continuation.end), Cell(continuation.meanLogProbability),
            ]
            if let prompt { row.append(.text(prompt.text)) }
            row.append(.text(texts[index]))
            table.append(row)
        }
        return table
    }

    /// The table of new tokens, with one row for each.
    var tokens: Table {
        var columns: [Table.Column] = promptSet == nil ? [] : ["prompt"]
        if count > 1 { columns.append("number") }
        if hasScores { columns.append("position") }
        columns.append("id")
        if hasScores { columns += [.init("token", isQuoted: true), "probability", "rank"] }
        var table = Table("tokens", columns: columns)
        for continuation in results {
            for (place, token) in continuation.tokens.enumerated() {
                var row: [Cell] = promptSet == nil ? [] : [.integer(continuation.prompt)]
                if count > 1 { row.append(.integer(continuation.number)) }
                if hasScores { row.append(.integer(prompts[continuation.prompt].count + place)) }
                row.append(.integer(Int(token.id)))
                if hasScores {
                    row += [
                        .text(tokenTexts.piece(token.id)), .number(Elementary.exp(token.logProbability)),
                        token.rank.map(Cell.integer) ?? .missing,
                    ]
                }
                table.append(row)
            }
        }
        return table
    }
}
