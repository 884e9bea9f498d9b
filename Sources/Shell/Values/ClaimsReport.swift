import Reports
import Statistics

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
                .text(claim.kind.rawValue), claim.value, claim.null, .text(Self.words(claim.verdict)),
                .text(claim.statement), claim.measure.isEmpty ? .missing : .text(claim.measure), .text(claim.reason),
                claim.command.map { .text($0) } ?? .missing,
            ])
        }
        return Report(scalars: counts, tables: [table], text: text)
    }

    private var counts: [Scalar] {
        Verdict.allCases.map { verdict in
            Scalar(Self.words(verdict), .integer(claims.count { $0.verdict == verdict }))
        }
    }

    private static func words(_ verdict: Verdict) -> String {
        verdict == .notTestable ? "not testable from these files" : verdict.rawValue
    }

    /// What each row of the table is about.
    private var text: String {
        claims.map { claim in
            var lines = ["\(claim.kind.rawValue): \(claim.statement)"]
            if !claim.measure.isEmpty { lines.append("  \(claim.measure)") }
            lines.append("  \(Self.words(claim.verdict)): \(claim.reason)")
            if let command = claim.command { lines.append("  more: \(command)") }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n") + "\n"
    }
}
