import Language
import LinearAlgebra
import Models
import Sites

extension Session {
    /// The activations of some positions of prompts, one row for each, in the order of the prompts.
    ///
    /// - Parameters:
    ///   - source: a checkpoint; its edits are made.
    ///   - positions: ascending, for each prompt.
    ///   - sites: whole sites, no patterns or logits.
    /// - Returns: [rows, width] of each site.
    func rows(
        _ source: NamedCheckpoint, _ ids: [[Int32]], positions: [[Int]], sites: [Site], choices: RunChoices
    ) throws -> [Site: Matrix] {
        let c = try source.checkpoint.model().configuration
        let sequences = TokenSequences(ids)
        let selection = RowSelection(sequences, positions: positions, isMean: false)
        let sink = MatrixSink(rows: selection.outputCount, pool: try pool())
        var task = RunTask(sequences)
        task.edits = source.edits
        task.selections = sites.map { SiteSelection($0) }
        task.last = sites.max() ?? task.last
        task.choices = choices
        task.resultBytes = sites.reduce(0) { $0 + c.width(of: $1) * 4 } * selection.outputCount
        task.taps = [SiteCollector(sites: sites, selection: selection, sink: sink)]
        try announce(task, source.checkpoint)
        try run(source.checkpoint, task)
        return sink.matrices
    }

    /// The sites that a list names, each once, in the order of computation.
    ///
    /// - Throws: `CommandError` for sites that hold no row for each token.
    func rowSites(_ text: String, _ c: ModelConfiguration) throws -> [Site] {
        let sites = try SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: c) }
        if let bad = sites.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw CommandError(
                "\(bad.shortName) can't be measured here",
                remedy: "name sites of the residual stream, as resid_post[*]", exitCode: 2)
        }
        return Set(sites).sorted()
    }
}
