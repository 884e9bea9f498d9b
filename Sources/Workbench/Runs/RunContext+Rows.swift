package import LinearAlgebra
package import Models
package import Sites

extension RunContext {
    /// The activations of some positions of prompts, in the order of the prompts.
    ///
    /// - Parameters:
    ///   - positions: ascending, for each prompt.
    ///   - isMean: one row a prompt, the mean over its positions; else one row a position.
    ///   - sites: whole sites, no patterns or logits.
    ///   - edits: nil: those in force on the checkpoint.
    /// - Returns: [rows, width] of each site.
    package func rows(
        _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], positions: [[Int]], isMean: Bool = false, sites: [Site],
        edits: [any Edit]? = nil, choices: RunChoices
    ) throws -> [Site: Matrix] {
        let c = try checkpoint.model().configuration
        let sequences = TokenSequences(ids)
        let selection = RowSelection(sequences, positions: positions, isMean: isMean)
        let sink = MatrixSink(rows: selection.outputCount, pool: pool)
        var task = RunTask(sequences)
        task.edits = edits
        task.selections = sites.map { SiteSelection($0) }
        task.last = sites.max() ?? task.last
        task.choices = choices
        task.resultBytes = sites.reduce(0) { $0 + c.width(of: $1) * 4 } * selection.outputCount
        task.taps = [SiteCollector(sites: sites, selection: selection, sink: sink)]
        try announce(task, checkpoint)
        try run(checkpoint, task)
        return sink.matrices
    }

    /// The same of a checkpoint with the edits that its name stands for.
    package func rows(
        _ source: NamedCheckpoint, _ ids: [[Int32]], positions: [[Int]], sites: [Site], choices: RunChoices
    ) throws -> [Site: Matrix] {
        try rows(source.checkpoint, ids, positions: positions, sites: sites, edits: source.edits, choices: choices)
    }

    /// The sites that a list names, each once, in the order of computation.
    ///
    /// - Throws: `WorkbenchError` for sites that hold no row for each token.
    package func rowSites(_ text: String, _ facts: CheckpointFacts) throws -> [Site] {
        try rowSites(text, facts.configuration)
    }

    /// The sites that a list names, each once, in the order of computation.
    ///
    /// - Throws: `WorkbenchError` for sites that hold no row for each token.
    package func rowSites(_ text: String, _ c: ModelConfiguration) throws -> [Site] {
        let sites = try SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: c) }
        if let bad = sites.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw WorkbenchError.notRows(bad)
        }
        return Set(sites).sorted()
    }
}
