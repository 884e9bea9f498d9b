import Comparison
import Language
import Reports
import Sites
import Workbench

extension CheckpointPair {
    /// Returns the outcome of a comparison of both checkpoints' activations.
    ///
    /// - Parameters:
    ///   - command: The command, which names the prompts, the sites and the position.
    ///   - session: The session.
    ///   - report: A closure that makes the report from the activations.
    /// - Throws: `CommandError` if no prompts are given. Any error of the runs or of `report`.
    func outcome(
        of command: CompareCommand, in session: Session, _ report: (PairedActivations) throws -> Report
    ) throws -> Outcome {
        let picture = try command.plotting.prepare(session)
        let activations = try activations(of: command, in: session)
        var report = try report(activations)
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe([a.checkpoint, b.checkpoint], precision: activations.choices.precision)
        return try command.plotting.outcome(report, picture, session)
    }

    /// Runs both checkpoints on the prompts that a command names and returns their activations.
    private func activations(of command: CompareCommand, in session: Session) throws -> PairedActivations {
        guard let name = command.prompts else {
            throw CommandError(
                "compare A B \(command.measure ?? "activations") takes --prompts",
                remedy: "make a set with: NAME = prompts FILE", exitCode: 2)
        }
        return try PairedActivations(
            self, session.studied(named: name), sites: command.sites, at: Position(command.at ?? "last"),
            keepsFirst: command.rows.withFirst, choices: command.options.choices(session), in: session.context())
    }
}
