import LinearAlgebra
import Models
import Reports

/// `compare A B activations`: how alike the rows of both are, site by site.
struct CompareActivations {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    func outcome() throws -> Outcome {
        let picture = try command.plotting.prepare(session)
        let activations = try pair.activations(of: command, in: session)
        let sites = try activations.similarities(in: session)
        var report = SimilarityReport(activations: activations, sites: sites).report
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe(
            [pair.a.checkpoint, pair.b.checkpoint], precision: activations.choices.precision)
        return try command.plotting.outcome(report, picture, session)
    }
}

extension CheckpointPair {
    /// What both compute on the prompts that a command names.
    func activations(of command: CompareCommand, in session: Session) throws -> PairedActivations {
        guard let name = command.prompts else {
            throw CommandError(
                "compare A B \(command.measure ?? "activations") takes --prompts",
                remedy: "make a set with: NAME = prompts FILE", exitCode: 2)
        }
        return try PairedActivations(
            self, session.prompts(named: name), sites: command.sites, at: Position(command.at ?? "last"),
            choices: command.options.choices(session), in: session)
    }
}
