package import LinearAlgebra
package import Models
package import Sites

extension RunContext {
    /// Runs a checkpoint and returns activations at some positions of prompts, in the order of the prompts.
    ///
    /// - Parameters:
    ///   - positions: the token positions of each prompt, ascending.
    ///   - isMean: true for one row a prompt, the mean over its positions; false for one row a position.
    ///   - sites: whole sites (named places in the model) that are neither patterns nor logits.
    ///   - edits: the edits of the run; nil means those in force on the checkpoint.
    /// - Returns: for each site its activations, [rows, width].
    package func rows(
        _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], positions: [[Int]], isMean: Bool = false, sites: [Site],
        edits: [any Edit]? = nil, choices: RunChoices
    ) throws -> [Site: Matrix] {
        let c = try checkpoint.model().configuration
        let sequences = TokenSequences(ids)
        let selection = RowSelection(sequences, positions: positions, isMean: isMean)
        let collected = CollectedRows(sites, selection, pool: pool)
        var task = RunTask(sequences)
        task.edits = edits
        task.selections = sites.map { SiteSelection($0) }
        task.last = sites.max() ?? task.last
        task.choices = choices
        task.resultBytes = sites.reduce(0) { $0 + c.width(of: $1) * 4 } * selection.outputCount
        task.taps = [collected.tap]
        try announce(task, checkpoint)
        try run(checkpoint, task)
        return collected.matrices
    }

    /// Runs a named checkpoint, with that name's edits, and returns for each site its activations at some positions of
    /// prompts, [rows, width]; each row is one position.
    package func rows(
        _ source: NamedCheckpoint, _ ids: [[Int32]], positions: [[Int]], sites: [Site], choices: RunChoices
    ) throws -> [Site: Matrix] {
        try rows(source.checkpoint, ids, positions: positions, sites: sites, edits: source.edits, choices: choices)
    }
}
