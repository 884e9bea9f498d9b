import Comparison
import Reports
import Workbench

/// The measure `compare A B geometry`: whether both checkpoints' rows have the same shape, site by site.
struct CompareGeometry {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    func outcome() throws -> Outcome {
        try pair.outcome(of: command, in: session) { activations in
            ShapeReport(activations: activations, sites: try activations.shapes(in: session.context())).report
        }
    }
}
