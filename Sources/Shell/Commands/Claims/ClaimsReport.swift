import Claims
import Language
import Reports
import Statistics

/// The report on claims: a table of verdicts, and a few lines about each claim.
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
                .text(claim.name), Cell(claim.value), Cell(claim.null), .text(Self.words(claim.verdict)),
                .text(claim.statement), claim.measure.isEmpty ? .missing : .text(claim.measure),
                .text(Self.words(claim.reason)),
                claim.study.map { .text(Self.words($0)) } ?? .missing,
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

    private static func words(_ reason: Claim.Reason) -> String {
        switch reason {
        case .found(let sentence): sentence
        case .failed(let error): CommandError.words(error)
        }
    }

    /// Returns a study in the form of the command that runs it.
    private static func words(_ study: Claim.Study) -> String {
        let words = [study.name] + study.operands + study.settings.flatMap { ["--\($0.name)", $0.value] }
        return (["\(words.joined(separator: " "))"] + study.inputs.map(words(_:))).joined(separator: ", of: ")
    }

    /// The text below the table, which says for each claim what it states, how it is measured and what was found.
    private var text: String {
        claims.map { claim in
            var lines = ["\(claim.name): \(claim.statement)"]
            if !claim.measure.isEmpty { lines.append("  \(claim.measure)") }
            lines.append("  \(Self.words(claim.verdict)): \(Self.words(claim.reason))")
            if let study = claim.study { lines.append("  more: \(Self.words(study))") }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n") + "\n"
    }
}
