import LinearAlgebra
import Models
import Reports

/// `compare A B geometry`: whether the rows of both have one shape, site by site.
struct CompareGeometry {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    func outcome() throws -> Outcome {
        let picture = try command.plotting.prepare(session)
        let activations = try pair.activations(of: command, in: session)
        let sites = try activations.shapes(in: session)
        var report = ShapeReport(activations: activations, sites: sites).report
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe(
            [pair.a.checkpoint, pair.b.checkpoint], precision: activations.choices.precision)
        return try command.plotting.outcome(report, picture, session)
    }
}
