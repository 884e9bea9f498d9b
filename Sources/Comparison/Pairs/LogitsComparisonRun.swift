import Control
package import LinearAlgebra
package import Models
package import Sites
import TerminalText
package import Workbench

/// Runs two checkpoints over the same tokens and compares their logits position by position.
///
/// Neither checkpoint's logits are kept. The run keeps, for each group of prompts, the last residual streams of both,
/// and computes from these the logits of 64 positions at a time. So the memory does not grow with the number of
/// positions times the vocabulary, and no prompt is run twice.
package struct LogitsComparisonRun {
    package let context: RunContext
    package let a: NamedCheckpoint
    package let b: NamedCheckpoint
    package let sequences: TokenSequences
    /// The token positions of each prompt at which logits are compared, ascending, at least one.
    package let positions: [[Int]]
    /// The number of tokens of each prompt itself where a reply follows it; empty if all tokens are the prompts'.
    package let promptTokens: [Int]
    package let choices: RunChoices
    private let configurations: [ModelConfiguration]
    private let vocabulary: Int

    /// The bytes of residual streams of both models that are kept at a time if no limit is set.
    private static let heldBytes = 256 << 20
    /// The number of positions whose logits are compared at a time.
    private static let blockRows = 64

    /// Prepares the comparison of two checkpoints' logits.
    ///
    /// - Parameters:
    ///   - a: one checkpoint.
    ///   - b: another checkpoint with a vocabulary of the same size, or the same checkpoint.
    ///   - promptTokens: the number of tokens of each prompt itself where a reply follows it, so that edits of the
    ///     prompt's positions leave the reply's alone; empty if all tokens are the prompts'.
    /// - Throws: `ModelError` for a prompt that one of them can't be run on.
    package init(
        _ context: RunContext, _ a: NamedCheckpoint, _ b: NamedCheckpoint, _ sequences: TokenSequences,
        positions: [[Int]], promptTokens: [Int] = [], choices: RunChoices
    ) throws {
        self.context = context
        (self.a, self.b) = (a, b)
        self.sequences = sequences
        self.positions = positions
        self.promptTokens = promptTokens
        self.choices = choices
        configurations = try [a.checkpoint.model().configuration, b.checkpoint.model().configuration]
        vocabulary = configurations[0].vocabularySize
        precondition(vocabulary == configurations[1].vocabularySize, "one vocabulary")
        // Both are checked before either runs, not when B's turn comes.
        for c in configurations { try sequences.validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions) }
    }

    /// Prepares the comparison of a pair of checkpoints' logits over prompts that both encode as the same tokens.
    ///
    /// - Throws: `ModelError` for a prompt that one of them can't be run over.
    package init(
        _ context: RunContext, _ pair: CheckpointPair, _ prompts: ComparedPrompts, choices: RunChoices
    ) throws {
        try self.init(
            context, pair.a, pair.b, TokenSequences(prompts.ids), positions: prompts.positions, choices: choices)
    }

    /// Runs both checkpoints and compares their logits at all chosen positions of all prompts.
    ///
    /// - Throws: `ComparisonError` if the memory that was set is too small; the runs' errors; `CancellationError`.
    package func run() throws -> LogitsComparison {
        let (tokens, choices) = try division()
        let rows = positions.reduce(0) { $0 + $1.count }
        try context.announce(
            zip([a.checkpoint, b.checkpoint], configurations).map { (task($1, sequences, rows: rows, choices), $0) })
        var prompts: [[Divergence]] = []
        var done = 0
        for group in sequences.groups(0..<sequences.count, limit: tokens) {
            let part = TokenSequences(group.map { Array(sequences.tokens(of: $0)) })
            let selection = RowSelection(part, positions: Array(positions[group]), isMean: false)
            let streams = try [a, b].enumerated().map { index, checkpoint in
                context.tell(.scope(done: done, total: work))
                done += part.tokens.count * configurations[index].layers
                return try residuals(
                    checkpoint, configurations[index], part, selection,
                    promptTokens: promptTokens.isEmpty ? [] : Array(promptTokens[group]), choices)
            }
            context.tell(.scope(done: done, total: work))
            let flat = try compare(streams[0], streams[1], part, selection)
            done += flat.count * outputLayers
            var start = 0
            for prompt in group {
                prompts.append(Array(flat[start..<start + positions[prompt].count]))
                start += positions[prompt].count
            }
        }
        return LogitsComparison(prompts)
    }

    /// The work of the whole comparison for the progress report, in layers times tokens of both models; an output
    /// matrix counts as the layers that cost the same.
    private var work: Int {
        configurations.reduce(0) { $0 + $1.layers } * sequences.tokens.count
            + positions.reduce(0) { $0 + $1.count } * outputLayers
    }

    /// The number of layers of both models that take as many operations as their output matrices.
    private var outputLayers: Int {
        configurations.reduce(0) { sum, c in
            sum + max(1, c.vocabularySize / max(1, 4 * c.hiddenSize + 3 * c.intermediateSize))
        }
    }

    // MARK: Memory and time

    /// Returns how many tokens both models run before their logits are compared, and the options of each run, whose
    /// memory limit is what remains beside the kept residual streams.
    ///
    /// - Throws: `ComparisonError` if the memory that was set is too small.
    private func division() throws -> (tokens: Int, choices: RunChoices) {
        let width = 4 * configurations.reduce(0) { $0 + $1.hiddenSize }
        let named = choices.memory ?? context.memory
        guard let named else { return (max(1, Self.heldBytes / width), choices) }
        // The buffers of either model stay until the other is done.
        let smallest = configurations.reduce(0) { most, configuration in
            let memory = context.memory(
                configuration, sequences, [Self.selection(configuration)], hasLogits: true)
            return max(most, memory.smallest)
        }
        let longest = width * sequences.longest
        let fixed = 2 * smallest + 4 * Self.blockRows * vocabulary
        guard named.bytes >= fixed + longest else {
            throw ComparisonError.smallLimit(named, longest: sequences.longest, smallest: fixed + longest)
        }
        let held = max(longest, min(Self.heldBytes, (named.bytes - fixed) / 4))
        var choices = choices
        choices.memory = MemoryLimit(
            bytes: (named.bytes - held - 4 * Self.blockRows * vocabulary) / 2, name: named.name)
        return (max(1, held / width), choices)
    }

    /// The site from which the logits are computed: the output of the last layer.
    package static func selection(_ configuration: ModelConfiguration) -> SiteSelection {
        SiteSelection(Site(.residPost, layer: configuration.layers - 1))
    }

    /// The run of one model from which its logits are computed, for estimating its time and memory.
    ///
    /// - Parameter rows: the number of positions for which logits are computed.
    package func task(
        _ configuration: ModelConfiguration, _ sequences: TokenSequences, rows: Int, _ choices: RunChoices
    ) -> RunTask {
        var task = RunTask(sequences)
        task.selections = [Self.selection(configuration)]
        task.last = task.selections[0].site
        task.logitRows = rows
        task.choices = choices
        return task
    }

    // MARK: Models

    /// Runs one checkpoint and returns the last layer's output at each selected position, [positions, hidden width].
    ///
    /// - Parameter promptTokens: the number of tokens of each prompt itself where a reply follows it; empty if all
    ///   tokens are the prompts'.
    package func residuals(
        _ source: NamedCheckpoint, _ configuration: ModelConfiguration, _ part: TokenSequences,
        _ selection: RowSelection, promptTokens: [Int] = [], _ choices: RunChoices
    ) throws -> Matrix {
        var task = task(configuration, part, rows: selection.outputCount, choices)
        task.shape = try context.plan(task, source.checkpoint).shape
        task.edits = source.edits
        task.promptTokens = promptTokens
        // The logits have their share of the memory, but they are not part of this run.
        task.logitRows = 0
        let collected = CollectedRows([task.last], selection, pool: context.pool)
        task.taps = [collected.tap]
        try context.run(source.checkpoint, task)
        return collected.matrices[task.last] ?? Matrix(rows: 0, columns: configuration.hiddenSize)
    }

    /// Compares the logits that follow from the last layer's outputs of two models, [rows, hidden width].
    ///
    /// - Returns: one divergence for each row, which is one position.
    package func compare(
        _ streamA: Matrix, _ streamB: Matrix, _ part: TokenSequences, _ selection: RowSelection
    ) throws -> [Divergence] {
        let vocabulary = vocabulary
        let held = UnsafeMutableBufferPointer<Float>.allocate(capacity: Self.blockRows * vocabulary)
        defer { held.deallocate() }
        nonisolated(unsafe) let logitsA = held.baseAddress!
        let next = Self.nextTokens(part, rows: selection.rows)
        var result: [Divergence] = []
        result.reserveCapacity(streamA.rows)
        for start in stride(from: 0, to: streamA.rows, by: Self.blockRows) {
            let rows = start..<min(start + Self.blockRows, streamA.rows)
            try unembed(a.checkpoint, streamA, rows) { range, logits, pool in
                let block = logitsA + range.lowerBound * vocabulary
                nonisolated(unsafe) let source = logits
                try pool.run(tasks: range.count) { row, _ in
                    try Self.checkFinite(source + row * vocabulary, count: vocabulary)
                    (block + row * vocabulary).update(from: source + row * vocabulary, count: vocabulary)
                }
            }
            var found = [Divergence?](repeating: nil, count: rows.count)
            try unembed(b.checkpoint, streamB, rows) { range, logits, pool in
                nonisolated(unsafe) let source = logits
                try found.withUnsafeMutableBufferPointer { buffer in
                    nonisolated(unsafe) let results = buffer
                    try pool.run(tasks: range.count) { task, _ in
                        try Self.checkFinite(source + task * vocabulary, count: vocabulary)
                        let row = range.lowerBound + task
                        results[row] = Divergence(
                            UnsafeBufferPointer(start: logitsA + row * vocabulary, count: vocabulary),
                            UnsafeBufferPointer(start: source + task * vocabulary, count: vocabulary),
                            next: next[rows.lowerBound + row])
                    }
                }
            }
            result += found.compactMap(\.self)
            context.control.report(
                done: rows.upperBound * outputLayers, total: streamA.rows * outputLayers, unit: "token-layers")
        }
        return result
    }

    /// Computes a checkpoint's logits from some rows of its last layer's output, and hands them to `receive` in blocks.
    private func unembed(
        _ checkpoint: LoadedCheckpoint, _ streams: Matrix, _ rows: Range<Int>,
        receive: @escaping (Range<Int>, UnsafePointer<Float>, ThreadPool) throws -> Void
    ) throws {
        let block = Matrix(
            rows: rows.count, columns: streams.columns,
            values: Array(streams.values[rows.lowerBound * streams.columns..<rows.upperBound * streams.columns]))
        try checkpoint.namingBadTensors(context) {
            try context.runner(checkpoint, precision: choices.precision).unembed(
                block, control: context.control, receive: receive)
        }
    }

    private static func checkFinite(_ logits: UnsafePointer<Float>, count: Int) throws {
        guard VectorMath.isFinite(logits, count: count) else { throw ModelError.notFinite(site: "logits") }
    }

    /// Returns, for each row (an index among all tokens of the prompts), the id of the token that follows in its
    /// prompt; nil at the end of a prompt.
    private static func nextTokens(_ part: TokenSequences, rows: [Int]) -> [Int?] {
        let lasts = Set(part.starts.dropFirst().map { $0 - 1 })
        return rows.map { lasts.contains($0) ? nil : Int(part.tokens[$0 + 1]) }
    }
}
