import Comparison
import Reports
import Statistics
import TerminalText

/// A claim about a checkpoint and what it was tuned from, with what was measured of it.
struct Claim {
    /// What is claimed.
    enum Kind: String, CaseIterable {
        case dimension, curved
        case basinDimension = "basin-dimension"
        case causal, contained, forbidden, formulaic
        case wayBack = "way-back"
        case penalty, senses, shape, convergence
    }

    let kind: Kind
    /// The claim in a sentence, with its numbers.
    let statement: String
    /// What was measured, where.
    var measure = ""
    var value = Cell.missing
    /// What the same measure says where the claim is empty.
    var null = Cell.missing
    var verdict: Verdict
    /// Why; a sentence without its full stop.
    var reason: String
    /// The command that shows the whole of it; nil where nothing was measured.
    var command: String?

    /// Four digits, for a reason.
    static func text(_ value: Double?) -> String { value.map { NumberFormat.significant($0) } ?? "-" }

    /// A claim that these files can't be held against.
    static func untestable(_ kind: Kind, _ statement: String, _ reason: String) -> Claim {
        Claim(kind: kind, statement: statement, verdict: .notTestable, reason: reason)
    }
}
