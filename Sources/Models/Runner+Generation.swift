package import Control
import LinearAlgebra
import Statistics

extension Runner {
    /// Continues a prompt greedily.
    ///
    /// - Parameters:
    ///   - prompt: token ids, at least one.
    ///   - limit: most new tokens.
    ///   - stop: ids that end the text; the one met is not part of the result.
    /// - Returns: the new tokens.
    package func generate(
        _ prompt: [Int32], limit: Int, stop: Set<Int32>, edits: [any Edit] = [], control: RunControl
    ) throws -> [Int32] {
        var options = GenerationOptions(limit: limit)
        options.endTokens = stop
        options.edits = edits
        let continuation = Continuation(prompt: 0, number: 0)
        try generate([continuation], of: [prompt], options, control: control)
        return continuation.ids
    }

    /// Continues prompts, several at a time so that every weight is read once for all of them.
    ///
    /// A prompt with several continuations is run once. Continuation i of prompt p draws from the stream (p, i) of the
    /// seed, and what is computed for it does not depend on those beside it: its tokens are the same alone, among any
    /// others and at any number of threads.
    /// - Parameters:
    ///   - continuations: what to make, ordered by prompt; filled in as tokens are chosen, also when this throws.
    ///   - prompts: token ids of each prompt, at least one.
    ///   - receive: called after each new token; false ends this continuation (`.stopped`).
    /// - Throws: `CancellationError`; `ModelError` for prompts that can't be run or answers that are no numbers.
    package func generate(
        _ continuations: [Continuation], of prompts: [[Int32]], _ options: GenerationOptions, control: RunControl,
        receive: (Continuation) throws -> Bool = { _ in true }
    ) throws {
        let c = model.configuration
        try TokenSequences(prompts).validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
        let generation = Generation(self, prompts, options, control)
        let (total, overflow) = continuations.count.multipliedReportingOverflow(by: options.limit)
        var waiting = continuations[...]
        var live: [Branch] = []
        var done = 0

        /// Lets each branch choose its next token from its row of logits, and drops those that end.
        func choose(_ branches: [Branch]) throws -> [Branch] {
            try pool.run(tasks: branches.count) { index, _ in try branches[index].choose(options) }
            return try branches.filter { branch in
                let continuation = branch.continuation
                if continuation.end == .endToken { return false }
                done += 1
                if try !receive(continuation) {
                    continuation.end = .stopped
                } else if continuation.tokens.count == branch.room {
                    continuation.end = branch.room < options.limit ? .contextFull : .length
                }
                if !overflow { control.report(done: done, total: total, unit: "tokens") }
                return continuation.end == nil
            }
        }

        while !waiting.isEmpty || !live.isEmpty {
            try control.checkCancellation()
            let width = generation.width
            if live.count < width, !waiting.isEmpty {
                let fresh = try generation.begin(&waiting, most: width - live.count)
                live += try choose(fresh)
            } else {
                try generation.step(live)
                live = try choose(live)
            }
        }
    }

    /// Runs new tokens of prompts through all layers; each row in `last` gets its logits.
    ///
    /// - Parameter receive: the place within `last`, and [vocabulary].
    fileprivate func advance(
        _ sequences: TokenSequences, _ caches: [KeyValueCache], promptTokens: [Int], edits: [any Edit],
        control: RunControl,
        receive: (Int, UnsafePointer<Float>) -> Void
    ) throws {
        let c = model.configuration
        let cache = try CacheBatch(caches, sequences)
        let pass = Pass(
            pool: pool, workspace: workspace, control: control, sequences: sequences, taps: [], edits: edits,
            packs: packsWeights, precision: precision, cache: cache, promptTokens: promptTokens)
        let rows = sequences.tokens.count
        let residual = workspace.buffer(.stream, rows * c.hiddenSize)
        pass.select(prompts: 0..<sequences.count, residual: residual)
        try embed(pass)
        for layer in 0..<c.layers { try model.runLayer(layer, pass, until: nil) }
        try withoutActuallyEscaping(receive) { receive in
            let request = LogitsRequest(rows: sequences.starts.dropFirst().map { $0 - 1 }) { range, values, _ in
                for (index, place) in range.enumerated() { receive(place, values + index * c.vocabularySize) }
            }
            try logits(request, pass: pass, residual: residual, sweepRows: 0..<rows)
        }
        cache.advance()
    }
}

/// A continuation on its way: its cache, its random stream, and the logits that its next token comes from.
private final class Branch {
    let continuation: Continuation
    let cache: KeyValueCache
    /// The most tokens it may have.
    let room: Int
    private let sampler: Sampler
    let logits: LogitsRow

    init(_ continuation: Continuation, cache: KeyValueCache, room: Int, sampler: Sampler, logits: LogitsRow) {
        self.continuation = continuation
        self.cache = cache
        self.room = room
        self.sampler = sampler
        self.logits = logits
    }

    func choose(_ options: GenerationOptions) throws {
        let values = UnsafePointer(logits.values)
        let id = try sampler.next(values)
        if options.endTokens.contains(id) {
            continuation.end = .endToken
            return
        }
        let logit = values[Int(id)]
        continuation.tokens.append(
            Continuation.Token(
                id: id, logProbability: Double(logit) - VectorMath.logSumExp(values, count: logits.count),
                rank: options.wantsRanks ? VectorMath.count(values, above: logit, count: logits.count) + 1 : nil))
    }
}

/// Memory for the logits of one position.
private final class LogitsRow {
    let values: UnsafeMutablePointer<Float>  // [vocabulary]
    let count: Int

    init(count: Int) {
        self.count = count
        values = .allocate(capacity: count)
    }

    deinit { values.deallocate() }

    func copy() -> LogitsRow {
        let copy = LogitsRow(count: count)
        copy.values.update(from: values, count: count)
        return copy
    }
}

/// Prompts that have been run and wait to be continued, and the steps that all live branches take together.
private final class Generation {
    private let runner: Runner
    private let prompts: [[Int32]]
    private let options: GenerationOptions
    private let control: RunControl
    /// By prompt: where its continuations start.
    private var started: [Int: (cache: KeyValueCache, logits: LogitsRow)] = [:]
    /// Branches that may be live at once.
    let width: Int

    /// Up to four rows cost little more than the reading of the weights; from about so many on, the time grows with them.
    private static let mostBranches = 16

    init(_ runner: Runner, _ prompts: [[Int32]], _ options: GenerationOptions, _ control: RunControl) {
        self.runner = runner
        self.prompts = prompts
        self.options = options
        self.control = control
        let c = runner.model.configuration
        let longest = prompts.map(\.count).max() ?? 0
        let largest = KeyValueCache(
            layers: c.layers, heads: c.keyValueHeads, d: c.headDimension,
            limit: longest + max(0, min(options.limit, c.maxPositions - longest))
        ).largestBytes
        // One more is the prompt's own, and a cache that grows is there twice for a moment.
        width = max(1, min(Self.mostBranches, KeyValueCache.memoryLimit / max(1, largest) - 2))
    }

    private func room(_ prompt: Int) -> Int {
        min(options.limit, runner.model.configuration.maxPositions - prompts[prompt].count)
    }

    /// Takes the next continuations from those that wait, runs the prompts that they are the first of, and readies them.
    func begin(_ waiting: inout ArraySlice<Continuation>, most: Int) throws -> [Branch] {
        var next: [Continuation] = []
        var fresh: [Int] = []
        var rows = 0
        while next.count < most, let continuation = waiting.first {
            let prompt = continuation.prompt
            if room(prompt) < 1 {
                continuation.end = .contextFull
                waiting.removeFirst()
                continue
            }
            if started[prompt] == nil, !fresh.contains(prompt) {
                // As many prompts together as a pack has room for, at least one.
                rows += prompts[prompt].count
                if !fresh.isEmpty, rows > Runner.packTokens { break }
                fresh.append(prompt)
            }
            next.append(continuation)
            waiting.removeFirst()
        }
        try run(fresh)
        return try next.enumerated().map { place, continuation in
            let prompt = continuation.prompt
            guard let start = started[prompt] else { preconditionFailure("prompt \(prompt) has not been run") }
            let following = place + 1 < next.count ? next[place + 1] : waiting.first
            let isLast = following?.prompt != prompt
            if isLast { started[prompt] = nil }
            return Branch(
                continuation, cache: isLast ? start.cache : try start.cache.fork(), room: room(prompt),
                sampler: Sampler(
                    vocabulary: start.logits.count, sampling: options.sampling,
                    random: SeededRandom(seed: options.seed, stream: prompt, continuation.number),
                    context: prompts[prompt]),
                logits: isLast ? start.logits : start.logits.copy())
        }
    }

    private func run(_ fresh: [Int]) throws {
        guard !fresh.isEmpty else { return }
        let c = runner.model.configuration
        let caches = fresh.map { prompt in
            KeyValueCache(
                layers: c.layers, heads: c.keyValueHeads, d: c.headDimension,
                limit: prompts[prompt].count + room(prompt))
        }
        let rows = fresh.map { _ in LogitsRow(count: c.vocabularySize) }
        try runner.advance(
            TokenSequences(fresh.map { prompts[$0] }), caches, promptTokens: fresh.map { prompts[$0].count },
            edits: options.edits, control: control
        ) { place, logits in rows[place].values.update(from: logits, count: c.vocabularySize) }
        for (place, prompt) in fresh.enumerated() { started[prompt] = (caches[place], rows[place]) }
    }

    /// Gives every branch the logits that follow its last token.
    func step(_ branches: [Branch]) throws {
        // Where a text grows past a boundary of its rotary embedding, the keys of all its tokens are made anew, as
        // transformers does.
        let boundary = runner.model.configuration.attention.lazy.compactMap(\.rotary?.boundary).first
        let crossing = branches.filter { $0.cache.count == boundary }
        guard crossing.isEmpty else {
            for branch in crossing {
                branch.cache.clear()
                let ids = prompts[branch.continuation.prompt] + branch.continuation.ids
                try runner.advance(
                    TokenSequences([ids]), [branch.cache], promptTokens: [prompts[branch.continuation.prompt].count],
                    edits: options.edits, control: control
                ) { _, logits in branch.logits.values.update(from: logits, count: branch.logits.count) }
            }
            let others = branches.filter { branch in !crossing.contains { $0 === branch } }
            return others.isEmpty ? () : try step(others)
        }
        let tokens = branches.map { [$0.continuation.tokens[$0.continuation.tokens.count - 1].id] }
        try runner.advance(
            TokenSequences(tokens), branches.map(\.cache),
            promptTokens: branches.map { prompts[$0.continuation.prompt].count }, edits: options.edits, control: control
        ) { place, logits in branches[place].logits.values.update(from: logits, count: branches[place].logits.count) }
    }
}
