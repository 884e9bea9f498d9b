package import Checkpoints
import LinearAlgebra
package import Models
package import Provenance
package import Sites
import TerminalText

/// What a capture (a table of activations) is to hold: sites (named places in the model), prompts and token positions.
package struct CaptureRequest {
    /// The sites whose activations are captured, as a user names them: `resid_post[*]`, `attn.z[3].h1`.
    package var sites: [String]
    package var set: PromptSet
    /// The token positions of each prompt that are captured, as a user names them: `last`, `all`, `-2`.
    package var position = "last"
    /// Whether the positions `all` and `mean` include the BOS token that the tokenizer adds.
    package var includesLeading = false
    /// Whether the positions `all` and `mean` keep first rows that are outliers among a prompt's other rows; so they do
    /// where BOS is included.
    package var keepsFirst = false
    package var choices = RunChoices()
    /// The path of the file that the captured activations go to; nil keeps them in memory.
    package var path: String?
    /// The recipe (the record of how it was made) that the capture carries. A capture to a file is resumed only if its
    /// recipe has the same version of nacre.
    package var recipe: Recipe

    package init(_ sites: [String], of set: PromptSet, recipe: Recipe) {
        self.sites = sites
        self.set = set
        self.recipe = recipe
    }
}

/// A capture (of activations into a table) that has been checked and is ready to run.
package struct CaptureJob {
    private let context: RunContext
    private let request: CaptureRequest
    private let checkpoint: LoadedCheckpoint
    /// The sites, or single heads of them, whose rows of activations are captured, in the order of computation.
    package let rowSites: [SiteSelection]
    /// The sites whose attention patterns or scores are captured, in the order of computation.
    private let patternSites: [SiteSelection]
    private let encoded: EncodedPrompts
    package let sequences: TokenSequences
    package var promptCount: Int { sequences.count }
    package var tokenCount: Int { sequences.tokens.count }
    /// The token positions of each prompt that are captured; all lists are empty if only attention patterns are asked
    /// for.
    fileprivate let positions: [[Int]]
    fileprivate let isMean: Bool
    package let layout: CaptureLayout
    private let identity: CaptureIdentity
    private let configuration: ModelConfiguration
    private var task: RunTask

    /// Checks a request for a capture and prepares its run.
    ///
    /// - Throws: `WorkbenchError`, `SiteError`; `CheckpointError` for more than a file can hold.
    package init(_ request: CaptureRequest, _ checkpoint: LoadedCheckpoint, _ context: RunContext) throws {
        self.context = context
        self.request = request
        self.checkpoint = checkpoint
        let c = try checkpoint.model().configuration
        configuration = c
        let wanted = try Set(request.sites.flatMap { try SiteExpression.selections($0, in: c) }).sorted()
        rowSites = wanted.filter { !$0.site.kind.isPattern }
        patternSites = wanted.filter(\.site.kind.isPattern)
        let set = request.set
        let position = try Position(request.position)
        var leftOut = 0
        isMean = position == .mean
        if isMean, wanted.contains(where: { $0.site.kind == .logits }) { throw WorkbenchError.noMeanOfLogits }
        if !patternSites.isEmpty, request.path == nil { throw WorkbenchError.patternsNeedFile }
        encoded = try checkpoint.encode(set, in: context)
        sequences = TokenSequences(encoded.ids)
        if rowSites.isEmpty {
            guard position == .last || position == .all else { throw WorkbenchError.patternsHoldAll }
            positions = encoded.ids.map { _ in [] }
        } else {
            let whole = try context.positions(
                position, checkpoint, encoded, includesLeading: request.includesLeading)
            positions =
                request.includesLeading || request.keepsFirst
                ? whole
                : try context.withoutOutlierFirstRows(
                    [FirstRowSet(ids: encoded.ids, positions: whole)],
                    of: [NamedCheckpoint(name: checkpoint.label, checkpoint: checkpoint)], at: position,
                    sites: rowSites.map(\.site), choices: request.choices)[0]
            leftOut = zip(whole, positions).count { $0.count > $1.count }
        }
        let rows = rowSites.isEmpty ? [] : Self.rows(encoded, positions, isMean: isMean)
        layout = CaptureLayout(
            sites: Dictionary(uniqueKeysWithValues: rowSites.map { ($0.fullName, c.width(of: $0)) }), rows: rows,
            prompts: zip(set.prompts, encoded.texts).map { CapturePrompt(text: $1, label: $0.label) },
            recipeJSON: Array(Capture.recipe(request.recipe, of: set).utf8),
            createdBy: "nacre \(request.recipe.version)",
            patterns: Dictionary(
                uniqueKeysWithValues: patternSites.map {
                    ($0.fullName, $0.head == nil ? c.heads(of: $0.site.kind) ?? 1 : 1)
                }),
            promptTokens: patternSites.isEmpty ? [] : encoded.ids.map(\.count))
        _ = try layout.checkedBytes(request.path ?? "the capture")
        identity = Self.identity(request, checkpoint, encoded, layout, sites: wanted, leftOut: leftOut, context)
        var task = RunTask(sequences)
        task.selections = rowSites
        task.last = wanted.last?.site ?? task.last
        task.logitRows = rowSites.contains { $0.site.kind == .logits } ? rows.count : 0
        task.choices = request.choices
        task.resultBytes = request.path == nil ? layout.valueBytes : 0
        self.task = task
    }

    private static func rows(_ encoded: EncodedPrompts, _ positions: [[Int]], isMean: Bool) -> [CaptureRow] {
        positions.enumerated().flatMap { prompt, list -> [CaptureRow] in
            if isMean { return [CaptureRow(prompt: Int32(prompt), position: -1, token: -1)] }
            return list.map {
                CaptureRow(prompt: Int32(prompt), position: Int32($0), token: encoded.ids[prompt][$0])
            }
        }
    }

    /// Returns the identity of a capture: named values (digests or short texts) that decide which activations it will
    /// hold. Two captures with the same identity hold the same activations. The memory limit, the number of threads
    /// and the seed have no influence on them and are not part of it. The processor is part of it in bf16 alone, where
    /// processors with a matrix unit add in another order.
    private static func identity(
        _ request: CaptureRequest, _ checkpoint: LoadedCheckpoint, _ encoded: EncodedPrompts, _ layout: CaptureLayout,
        sites: [SiteSelection], leftOut: Int, _ context: RunContext
    ) -> CaptureIdentity {
        var prompts: [UInt8] = []
        for (prompt, ids) in zip(layout.prompts, encoded.ids) {
            for text in [prompt.text, prompt.label] { prompts += "\(text.utf8.count) \(text)\n".utf8 }
            prompts += "\(ids)\n".utf8
        }
        return CaptureIdentity(
            [
                .init("version", request.recipe.version), .init("model", checkpoint.identity),
                .init("configuration", Digest.sha256(checkpoint.file.configJSON ?? [])),
                .init("prompts", Digest.sha256(prompts)), .init("sites", sites.map(\.shortName).joined(separator: " ")),
                .init(
                    "positions",
                    request.position + (request.includesLeading ? " with BOS" : "")
                        + (leftOut > 0 ? " without \(leftOut) first rows" : "")),
                .init("precision", request.choices.precision.arithmetic(on: context.pool.level)),
            ] + (checkpoint.edits.active.isEmpty ? [] : [.init("edits", checkpoint.edits.identity)]))
    }

    // MARK: Running

    /// Returns notes on the error that matrix products in bf16 bring to the model's logits; there are none in f32.
    package func roundingNotes() throws -> [String] {
        try context.roundingNotes(checkpoint, encoded.ids[0], task.choices.precision)
    }

    /// Runs the capture and returns it with its activations in memory.
    package func inMemory() throws -> Capture {
        let sink = MatrixSink(rows: layout.rows.count, pool: context.pool)
        try context.announce(task, checkpoint)
        var task = task
        prepare(&task, prompts: 0..<sequences.count, rowSink: sink, patternSink: nil)
        try context.run(checkpoint, task)
        let found = try rowSites.map { site in
            guard let matrix = sink[site] else {
                throw WorkbenchError.modelHasNoSite(site.site)
            }
            return (site.fullName, matrix)
        }
        return Capture(
            sites: found, rows: layout.rows, prompts: layout.prompts,
            recipe: String(decoding: layout.recipeJSON, as: UTF8.self))
    }

    /// Runs the capture into a file, one section of prompts after another, and continues where an interrupted capture
    /// of the same identity stopped.
    ///
    /// - Parameter sectionPrompts: the number of prompts in a section; nil means about half a minute's work.
    /// - Returns: the finished capture, and notes about damaged values that were computed again.
    /// - Throws: `UnfinishedCapture` if the run stops after some prompts, whose activations are kept.
    package func toFile(
        _ path: String, overwrite: Bool, restart: Bool, sectionPrompts: Int?
    ) throws -> (capture: Capture, notes: [String]) {
        var task = task
        task.shape = try context.plan(task, checkpoint).shape
        let partial = try PartialCapture(
            path, overwrite: overwrite, layout: layout, identity: identity, restart: restart)
        let count = layout.prompts.count
        var notes: [String] = []
        do {
            if partial.damagedPrompts > 0 {
                notes.append("the values of \(counted(partial.damagedPrompts, "prompt")) were damaged and done again")
            }
            if partial.resumedPrompts > 0 {
                context.tell(.resumed(path: path, done: partial.resumedPrompts, of: count))
            }
            var remaining = task
            remaining.sequences = TokenSequences(Array(encoded.ids[partial.resumedPrompts...]))
            if remaining.sequences.count > 0 { try context.announce(remaining, checkpoint) }
            let tokens = try sectionTokens(remaining)
            let layers = configuration.layers
            while partial.completedPrompts < count {
                let first = partial.completedPrompts
                let end =
                    sectionPrompts.map { min(count, first + min($0, count)) }
                    ?? sequences.groups(first..<count, limit: tokens)[0].upperBound
                context.tell(
                    .scope(done: sequences.starts[first] * layers, total: sequences.tokens.count * layers))
                prepare(&task, prompts: first..<end, rowSink: FileSink(partial, self, first), patternSink: partial)
                try context.run(checkpoint, task)
                try partial.complete(first..<end)
            }
            try partial.finish()
        } catch {
            throw kept(partial, path, error)
        }
        return (Capture(try CaptureFile.open(path)), notes)
    }

    /// Turns the error that ended a capture into `UnfinishedCapture` if some prompts are done and kept; otherwise
    /// returns it and discards the partial file.
    private func kept(_ partial: PartialCapture, _ path: String, _ error: any Error) -> any Error {
        let done = partial.completedPrompts
        guard done > 0 else {
            partial.discard()
            return error
        }
        return UnfinishedCapture(
            done: done, count: layout.prompts.count, partialPath: partial.partialPath, cause: error)
    }

    /// The seconds of work in one section of a capture, which is what an interruption may cost.
    private static let sectionSeconds = 30.0

    /// Returns the number of tokens in one section of a capture to a file: half a minute's work, or a whole sweep (a
    /// pass over all weights) if the weights have to be read from the disk each time.
    private func sectionTokens(_ task: RunTask) throws -> Int {
        guard task.sequences.count > 0,
            let estimate = try context.estimate(task, checkpoint, worthProbing: 1e10),
            estimate.seconds > 0
        else { return .max }
        let tokens = Double(task.sequences.tokens.count) * Self.sectionSeconds / estimate.seconds
        let sweep = try context.plan(task, checkpoint).plan.sweepTokens
        let isStreamed = Double(estimate.weightBytes) > 0.7 * Double(MachineMemory.total)
        return max(isStreamed ? sweep : 512, Int(min(tokens, 0x1p40)))
    }

    /// Sets up a model run that captures the activations of some of the prompts.
    private func prepare(
        _ task: inout RunTask, prompts: Range<Int>, rowSink: any RowSink, patternSink: PartialCapture?
    ) {
        task.sequences = TokenSequences(Array(encoded.ids[prompts]))
        if !rowSites.isEmpty {
            let selection = RowSelection(task.sequences, positions: Array(positions[prompts]), isMean: isMean)
            let collector = CollectedRows.tap(
                rowSites, headDimension: configuration.headDimension, selection, into: rowSink)
            task.taps = [collector]
            if rowSites.contains(where: { $0.site.kind == .logits }) {
                task.logits = collector.logitsRequest(vocabulary: configuration.vocabularySize)
                task.logitRows = selection.rows.count
            }
        }
        if let patternSink, !patternSites.isEmpty {
            task.patterns = [
                PatternRecorder(patternSites, tokens: encoded.ids.map(\.count), first: prompts.lowerBound, patternSink)
            ]
        }
    }

    // MARK: Estimate

    /// Estimates the time and the memory that the capture will take. In a file each section of prompts begins with a
    /// sweep (a pass over all weights) of its own.
    package func estimate() throws -> RunEstimate? {
        var estimate = try context.estimate(task, checkpoint, worthProbing: 0)
        if request.path != nil {
            let sections = sequences.groups(0..<sequences.count, limit: try sectionTokens(task)).count
            if let sweeps = estimate?.sweeps { estimate?.sweeps = max(sweeps, sections) }
        }
        try sequences.validate(vocabulary: configuration.vocabularySize, maxPositions: configuration.maxPositions)
        return estimate
    }
}

/// Streams the captured activations of one section of prompts into the capture's file.
private final class FileSink: RowSink {
    private let partial: PartialCapture
    /// The row in the capture's file at which this sink's section of prompts begins.
    private let firstRow: Int

    init(_ partial: PartialCapture, _ job: CaptureJob, _ firstPrompt: Int) {
        self.partial = partial
        firstRow = job.positions[..<firstPrompt].reduce(0) { $0 + (job.isMean ? 1 : $1.count) }
    }

    func write(_ selection: SiteSelection, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws {
        try partial.write(site: selection.fullName, firstRow: self.firstRow + firstRow, values: values)
    }
}

/// The error of a capture to a file that ended early, after some prompts were done and kept.
package struct UnfinishedCapture: Error {
    /// The number of prompts whose activations are kept.
    package let done: Int
    /// The number of all prompts of the capture.
    package let count: Int
    package let partialPath: String
    /// The error that ended the capture's run; `CancellationError` if the user gave up.
    package let cause: any Error

    /// A sentence such as "3 of 10 prompts are kept in FILE.partial".
    package var kept: String {
        "\(done) of \(counted(count, "prompt")) \(agreeing(done)) kept in"
            + " \(partialPath.escapedForTerminal)"
    }
}
