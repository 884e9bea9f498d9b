import Checkpoints
import HDF5
import Language
import LinearAlgebra
import Models
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A capture, checked and ready to run.
struct CaptureJob {
    let session: Session
    let checkpoint: LoadedCheckpoint
    /// Rows and patterns that are kept, in the order of computation.
    let rowSites: [SiteSelection]
    let patternSites: [SiteSelection]
    let set: PromptSet
    let encoded: EncodedPrompts
    let sequences: TokenSequences
    /// Positions of each prompt; empty where only patterns are asked for.
    let positions: [[Int]]
    let isMean: Bool
    let layout: CaptureLayout
    let identity: CaptureIdentity
    private let configuration: ModelConfiguration
    private let path: String?
    private var task: RunTask

    /// - Parameter path: the file; nil: memory.
    init(_ command: CaptureCommand, _ session: Session, path: String?) throws {
        self.session = session
        self.path = path
        checkpoint = try session.checkpoint()
        let c = try checkpoint.model().configuration
        configuration = c
        let wanted = try Set(command.sites.flatMap { try SiteExpression.selections($0, in: c) }).sorted()
        rowSites = wanted.filter { !$0.site.kind.isPattern }
        patternSites = wanted.filter(\.site.kind.isPattern)
        set = try command.promptSet(session)
        let position = try Position(command.at)
        isMean = position == .mean
        if isMean, wanted.contains(where: { $0.site.kind == .logits }) {
            throw CommandError("logits have no mean over positions", remedy: "use --at last or all")
        }
        if !patternSites.isEmpty, path == nil {
            throw CommandError(
                "attention patterns and scores go to a file, [heads, tokens, tokens] for each prompt",
                remedy: "give one with --to FILE")
        }
        encoded = try checkpoint.encode(set, control: session.control)
        sequences = TokenSequences(encoded.ids)
        if rowSites.isEmpty {
            guard position == .last || position == .all else {
                throw CommandError("patterns hold every position", remedy: "leave out --at", exitCode: 2)
            }
            positions = encoded.ids.map { _ in [] }
        } else {
            positions = try session.context().positions(
                position, checkpoint, ids: encoded.ids, texts: encoded.texts, isRendered: set.isChat,
                includesLeading: command.withBos)
        }
        let choices = try command.options.choices(session)
        let rows = rowSites.isEmpty ? [] : Self.rows(encoded, positions, isMean: isMean)
        layout = CaptureLayout(
            sites: Dictionary(uniqueKeysWithValues: rowSites.map { ($0.fullName, c.width(of: $0)) }), rows: rows,
            prompts: zip(set.prompts, encoded.texts).map { CapturePrompt(text: $1, label: $0.label) },
            recipeJSON: Array(
                RecipeText.json(session.recipe(checkpoint, precision: choices.precision)).utf8),
            createdBy: "nacre \(Session.version)",
            patterns: Dictionary(
                uniqueKeysWithValues: patternSites.map {
                    ($0.fullName, $0.head == nil ? c.heads(of: $0.site.kind) ?? 1 : 1)
                }),
            promptTokens: patternSites.isEmpty ? [] : encoded.ids.map(\.count))
        _ = try layout.checkedBytes(path ?? "the capture")
        identity = Self.identity(
            checkpoint, set, encoded, layout, sites: wanted, precision: session.arithmetic(choices.precision),
            positions: command.at + (command.withBos ? " with BOS" : ""))
        var task = RunTask(sequences)
        task.selections = rowSites
        task.last = wanted.last?.site ?? task.last
        task.logitRows = rowSites.contains { $0.site.kind == .logits } ? rows.count : 0
        task.choices = choices
        task.resultBytes = path == nil ? layout.valueBytes : 0
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

    /// What decides the values. Memory, threads and the session's seed do not; the processor does in bf16 alone, where its
    /// matrix unit adds up in an order of its own.
    private static func identity(
        _ checkpoint: LoadedCheckpoint, _ set: PromptSet, _ encoded: EncodedPrompts, _ layout: CaptureLayout,
        sites: [SiteSelection], precision: String, positions: String
    ) -> CaptureIdentity {
        var prompts: [UInt8] = []
        for (prompt, ids) in zip(layout.prompts, encoded.ids) {
            for text in [prompt.text, prompt.label] { prompts += "\(text.utf8.count) \(text)\n".utf8 }
            prompts += "\(ids)\n".utf8
        }
        return CaptureIdentity(
            [
                .init("version", Session.version), .init("model", checkpoint.identity),
                .init("configuration", Digest.sha256(checkpoint.file.configJSON ?? [])),
                .init("prompts", Digest.sha256(prompts)), .init("sites", sites.map(\.shortName).joined(separator: " ")),
                .init("positions", positions), .init("precision", precision),
            ] + (checkpoint.edits.active.isEmpty ? [] : [.init("edits", checkpoint.edits.identity)]))
    }

    // MARK: Running

    /// The error of products that are not the reference's.
    func roundingNotes() throws -> [String] {
        try session.context().roundingNotes(checkpoint, encoded.ids[0], task.choices.precision)
    }

    /// Keeps the rows in memory.
    func inMemory() throws -> Capture {
        let sink = MatrixSink(rows: layout.rows.count, pool: try session.pool())
        try session.context().announce(task, checkpoint)
        var task = task
        prepare(&task, prompts: 0..<sequences.count, rowSink: sink, patternSink: nil)
        try session.context().run(checkpoint, task)
        let found = try rowSites.map { site in
            guard let matrix = sink[site] else {
                throw CommandError("this model has no \(site.site.kind.shortName)", remedy: "see help sites")
            }
            return (site.fullName, matrix)
        }
        return Capture(
            sites: found, rows: layout.rows, prompts: layout.prompts,
            recipe: String(decoding: layout.recipeJSON, as: UTF8.self))
    }

    /// Fills a file, section by section, from where an interrupted command of the same identity stopped.
    ///
    /// - Parameter sectionPrompts: prompts of a section; nil: about half a minute's.
    func toFile(
        _ path: String, overwrite: Bool, restart: Bool, sectionPrompts: Int?
    ) throws -> (capture: Capture, notes: [String]) {
        var task = task
        task.shape = try session.context().plan(task, checkpoint).shape
        let partial = try PartialCapture(
            path, overwrite: overwrite, layout: layout, identity: identity, restart: restart)
        let count = layout.prompts.count
        var notes: [String] = []
        do {
            if partial.damagedPrompts > 0 {
                notes.append("the values of \(counted(partial.damagedPrompts, "prompt")) were damaged and done again")
            }
            if partial.resumedPrompts > 0 {
                session.diagnose(
                    "resuming \(path.escapedForTerminal): \(partial.resumedPrompts) of \(counted(count, "prompt"))"
                        + " \(partial.resumedPrompts == 1 ? "is" : "are") done")
            }
            var remaining = task
            remaining.sequences = TokenSequences(Array(encoded.ids[partial.resumedPrompts...]))
            if remaining.sequences.count > 0 { try session.context().announce(remaining, checkpoint) }
            let tokens = try sectionTokens(remaining)
            let layers = configuration.layers
            while partial.completedPrompts < count {
                let first = partial.completedPrompts
                let end =
                    sectionPrompts.map { min(count, first + min($0, count)) }
                    ?? sequences.groups(first..<count, limit: tokens)[0].upperBound
                session.progress.setScope(
                    done: sequences.starts[first] * layers, total: sequences.tokens.count * layers)
                prepare(&task, prompts: first..<end, rowSink: FileSink(partial, self, first), patternSink: partial)
                try session.context().run(checkpoint, task)
                try partial.complete(first..<end)
            }
            try partial.finish()
        } catch {
            throw kept(partial, path, error)
        }
        return (Capture(try CaptureFile.open(path)), notes)
    }

    /// What to say of an error after which some prompts are done and kept; nothing is kept where none are.
    private func kept(_ partial: PartialCapture, _ path: String, _ error: any Error) -> any Error {
        let done = partial.completedPrompts
        guard done > 0 else {
            partial.discard()
            return error
        }
        let what =
            "\(done) of \(counted(layout.prompts.count, "prompt")) \(done == 1 ? "is" : "are") kept in"
            + " \(partial.partialPath.escapedForTerminal)"
        if error is CancellationError {
            return Interruption(message: "interrupted; \(what); the same command goes on from there")
        }
        return CommandError("\(CommandError.words(error)); \(what)", remedy: "the same command goes on from there")
    }

    /// Seconds of work that an interruption may cost.
    private static let sectionSeconds = 30.0

    /// Tokens of a section: half a minute's, or a sweep's where weights have to come from the disk each time.
    private func sectionTokens(_ task: RunTask) throws -> Int {
        guard task.sequences.count > 0,
            let estimate = try session.context().estimate(task, checkpoint, worthProbing: 1e10),
            estimate.seconds > 0
        else { return .max }
        let tokens = Double(task.sequences.tokens.count) * Self.sectionSeconds / estimate.seconds
        let sweep = try session.context().plan(task, checkpoint).plan.sweepTokens
        let isStreamed = Double(estimate.weightBytes) > 0.7 * Double(MachineMemory.total)
        return max(isStreamed ? sweep : 512, Int(min(tokens, 0x1p40)))
    }

    /// Sets up the run of some prompts.
    private func prepare(
        _ task: inout RunTask, prompts: Range<Int>, rowSink: any RowSink, patternSink: PartialCapture?
    ) {
        task.sequences = TokenSequences(Array(encoded.ids[prompts]))
        if !rowSites.isEmpty {
            let selection = RowSelection(task.sequences, positions: Array(positions[prompts]), isMean: isMean)
            let collector = SiteCollector(
                rowSites, headDimension: configuration.headDimension, selection: selection, sink: rowSink)
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

    func estimate() throws -> Report {
        var estimate = try session.context().estimate(task, checkpoint, worthProbing: 0)
        if path != nil {
            // Each section begins with a sweep of its own.
            let sections = sequences.groups(0..<sequences.count, limit: try sectionTokens(task)).count
            if let sweeps = estimate?.sweeps { estimate?.sweeps = max(sweeps, sections) }
        }
        let bytes = layout.valueBytes
        var scalars = [
            Scalar("prompts", .integer(sequences.count)), Scalar("tokens", .integer(sequences.tokens.count)),
            Scalar("rows", .integer(layout.rows.count), note: "of \(counted(rowSites.count, "site"))"),
            Scalar(
                "result", .text(NumberFormat.bytes(bytes)), note: path == nil ? "in memory" : "in the file"),
        ]
        try sequences.validate(vocabulary: configuration.vocabularySize, maxPositions: configuration.maxPositions)
        var notes: [String] = []
        if let path {
            if access(path, F_OK) == 0 {
                notes.append("\(path.escapedForTerminal) exists: without --overwrite the command would be refused.")
            }
            if access("\(path).partial", F_OK) == 0 {
                notes.append(
                    "An interrupted capture has left \("\(path).partial".escapedForTerminal); what is done there counts."
                )
            }
            let target = try FilePlacement.resolve(path)
            let folder = FilePlacement.split(target).folder
            if let free = FilePlacement.freeBytes(folder) {
                scalars.append(
                    Scalar(
                        "free", .text(NumberFormat.bytes(free)),
                        note: "on the file system of \(folder.escapedForTerminal)"))
                if free < bytes { notes.append("The disk is too full for it: the command would be refused.") }
            }
        }
        scalars += estimate?.scalars ?? []
        return Report(scalars: scalars, notes: notes, recipe: session.recipe(checkpoint))
    }
}

/// Streams the rows of a section into its file.
private final class FileSink: RowSink {
    private let partial: PartialCapture
    private let firstRow: Int

    init(_ partial: PartialCapture, _ job: CaptureJob, _ firstPrompt: Int) {
        self.partial = partial
        firstRow = job.positions[..<firstPrompt].reduce(0) { $0 + (job.isMean ? 1 : $1.count) }
    }

    func write(_ selection: SiteSelection, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws {
        try partial.write(site: selection.fullName, firstRow: self.firstRow + firstRow, values: values)
    }
}
