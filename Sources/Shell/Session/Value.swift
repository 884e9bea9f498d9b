import Directions
package import Reports
package import Workbench

/// The value that a name in a session stands for.
package enum Value {
    case checkpoint(LoadedCheckpoint)
    case prompts(PromptSet)
    case capture(Capture)
    case points(Points)
    case subspace(Subspace)
    case report(Report)

    package enum Kind: String, CaseIterable, Sendable {
        case checkpoint, prompts, capture, points, subspace, report

        package var phrase: String { self == .prompts || self == .points ? "a set of \(rawValue)" : "a \(rawValue)" }
    }

    package var kind: Kind {
        switch self {
        case .checkpoint: .checkpoint
        case .prompts: .prompts
        case .capture: .capture
        case .points: .points
        case .subspace: .subspace
        case .report: .report
        }
    }

    /// The value in one line, for `list`.
    package var summary: String {
        switch self {
        case .checkpoint(let checkpoint): checkpoint.summary
        case .prompts(let prompts): prompts.summary
        case .capture(let capture): capture.summary
        case .points(let points): points.summary
        case .subspace(let subspace): subspace.summary
        case .report(let report): report.title
        }
    }
}
