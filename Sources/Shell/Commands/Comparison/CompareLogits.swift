import Comparison
import Language
import Reports
import Sites
import Workbench

/// The measure `compare A B logits`: both checkpoints' predictions of the next token.
struct CompareLogits {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    func outcome() throws -> Outcome {
        let set = try command.promptSet(session)
        let position = try Position(command.at ?? "all")
        guard position != .mean else {
            throw CommandError(
                "logits have no mean over positions",
                remedy: "give --at all, and the means of what is measured are printed", exitCode: 2)
        }
        let listed = try listedPrompts()
        let picture = try command.plotting.prepare(session)
        try pair.checkSameVocabulary()
        let compared = try pair.encode(set, at: position, in: session.context())
        let choices = try command.options.choices(session)
        let comparison = try LogitsComparisonRun(session.context(), pair, compared, choices: choices).run()
        let result = LogitsComparisonReport(
            pair: pair, set: set, isText: command.prompts == nil, prompts: compared, position: position,
            comparison: comparison)
        var report = try result.report(listed: listed)
        report.notes += try roundingNotes(compared.ids[0], choices.precision)
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint], precision: choices.precision)
        return try command.plotting.outcome(report, picture, session)
    }

    /// Returns the number of prompts that are listed, or nil if none are.
    ///
    /// - Throws: `CommandError` if `--top` is given without `--each`, or `--each` without a set of prompts.
    private func listedPrompts() throws -> Int? {
        guard command.each else {
            guard command.top == nil else {
                throw CommandError("--top goes with --each", remedy: "add --each", exitCode: 2)
            }
            return nil
        }
        guard command.prompts != nil else {
            throw CommandError("--each lists prompts", remedy: "give --prompts instead of a text", exitCode: 2)
        }
        return try checkedCount(command.top ?? 10, "--top")
    }

    private func roundingNotes(_ ids: [Int32], _ precision: Precision) throws -> [String] {
        try [pair.a, pair.b].flatMap { side in
            try session.context().roundingNotes(side.checkpoint, ids, precision).map { "\(side.name), \($0)" }
        }
    }
}
