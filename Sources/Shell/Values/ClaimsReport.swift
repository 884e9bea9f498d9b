import Reports

/// Claims as a table of verdicts, with a few lines about each.
struct ClaimsReport {
    let claims: [Claim]

    var report: Report {
        var table = Table(
            "claims",
            columns: [
                "claim", "value", "null", "verdict", .init("statement", isDetail: true),
                .init("measure", isDetail: true), .init("reason", isDetail: true), .init("command", isDetail: true),
            ])
        for claim in claims {
            table.append([
                .text(claim.kind.rawValue), claim.value, claim.null, .text(claim.verdict.rawValue),
                .text(claim.statement), claim.measure.isEmpty ? .missing : .text(claim.measure), .text(claim.reason),
                claim.command.map { .text($0) } ?? .missing,
            ])
        }
        return Report(scalars: counts, tables: [table], text: text)
    }

    private var counts: [Scalar] {
        Claim.Verdict.allCases.map { verdict in
            Scalar(verdict.rawValue, .integer(claims.count { $0.verdict == verdict }))
        }
    }

    /// What each row of the table is about.
    private var text: String {
        claims.map { claim in
            var lines = ["\(claim.kind.rawValue): \(claim.statement)"]
            if !claim.measure.isEmpty { lines.append("  \(claim.measure)") }
            lines.append("  \(claim.verdict.rawValue): \(claim.reason)")
            if let command = claim.command { lines.append("  more: \(command)") }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n") + "\n"
    }
}
