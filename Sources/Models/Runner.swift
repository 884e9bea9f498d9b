package import Control
package import LinearAlgebra
package import Sites

/// What a run did.
package struct RunSummary: Sendable {
    package let tokens: Int
    /// Floating-point operations of all matrix products.
    package let operations: Double
}

/// Asks for logits at some rows of a run.
package struct LogitsRequest {
    /// Rows among all tokens of the run, ascending.
    package let rows: [Int]
    /// Receives logits in blocks: the range within `rows` that a block holds, and [block, vocabulary].
    package let receive: (Range<Int>, UnsafePointer<Float>, ThreadPool) throws -> Void

    package init(
        rows: [Int], receive: @escaping (Range<Int>, UnsafePointer<Float>, ThreadPool) throws -> Void
    ) {
        self.rows = rows
        self.receive = receive
    }
}

/// Runs a model over sets of prompts, layer by layer over packs of prompts, so that every weight is read once a sweep.
///
/// A sweep holds the residual stream of as many prompts as the memory budget allows; within a sweep each layer is run
/// over packs of about 2,048 tokens before the next layer begins.
package final class Runner {
    package let model: Decoder
    package let pool: ThreadPool
    private let memoryBudget: Int
    private let packTokens: Int
    /// What products are computed in, from the next run on.
    package var precision = Precision.f32
    let workspace = Workspace()
    private var hasTestedItself = false

    /// Tokens a pack aims at: enough for full speed, few enough to stay within the cache and the memory budget.
    package static let packTokens = 2048

    /// Bytes of the residual streams of a sweep when nobody says otherwise.
    package static let defaultSweepBytes = 128 << 20

    /// Rows of logits computed at a time.
    private static let logitRows = 64

    /// Whether each weight is packed when it is used for many rows the second time, and kept so: later passes of 512
    /// tokens then take a tenth less time. Larger models than the memory allows stream from the map; by itself a runner packs
    /// models whose weights take at most an eighth of the machine's memory as f32.
    package let packsWeights: Bool

    /// - Parameters:
    ///   - memoryBudget: bytes for the residual stream of one sweep.
    ///   - packTokens: tokens of a pack.
    ///   - packsWeights: see `packsWeights`; nil decides by the machine's memory.
    package init(
        model: Decoder, pool: ThreadPool, memoryBudget: Int = Runner.defaultSweepBytes,
        packTokens: Int = Runner.packTokens, packsWeights: Bool? = nil
    ) {
        self.model = model
        self.pool = pool
        self.memoryBudget = memoryBudget
        self.packTokens = packTokens
        self.packsWeights =
            packsWeights ?? (Self.packedBytes(model.configuration) <= Double(PhysicalMemory.byteCount) / 8)
    }

    /// Bytes of all weights as f32.
    package static func packedBytes(_ c: ModelConfiguration) -> Double {
        let attention = c.hiddenSize * (2 * c.heads + 2 * c.keyValueHeads) * c.headDimension
        let layer = Double(attention + 3 * c.hiddenSize * c.intermediateSize)
        return 4 * (layer * Double(c.layers) + Double(c.hiddenSize) * Double(c.vocabularySize))
    }

    /// Runs all prompts up to the last site that anybody asked for.
    ///
    /// The first run of a runner tests itself on its first pack: see `SelfTest`.
    ///
    /// - Parameter start: the residual stream that an earlier run had at the input of a layer, to go on from there;
    ///   edits and taps of what lies before see nothing. Nil: begins at the embedding.
    /// - Parameter promptTokens: by prompt, its number of tokens without those of a reply that follows; empty: all are
    ///   the prompt's.
    /// - Throws: `CancellationError`, `ModelError`, or what a tap threw; nothing is kept of an unfinished run.
    @discardableResult
    package func run(
        _ sequences: TokenSequences, taps: [any Tap] = [], edits: [any Edit] = [], patterns: [any PatternTap] = [],
        logits: LogitsRequest? = nil, from start: ResidualStart? = nil, promptTokens: [Int] = [], control: RunControl
    ) throws -> RunSummary {
        precondition(promptTokens.isEmpty || promptTokens.count == sequences.count, "a count for each prompt")
        let c = model.configuration
        let firstLayer = start?.layer ?? 0
        try sequences.validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
        let selfTest = hasTestedItself || !edits.isEmpty || start != nil ? nil : SelfTest()
        let everyTap = taps + (selfTest.map { [$0] } ?? [])
        let pass = Pass(
            pool: pool, workspace: workspace, control: control, sequences: sequences, taps: everyTap, edits: edits,
            patterns: patterns, packs: packsWeights, precision: precision, promptTokens: promptTokens)
        let end = c.lastSite(taps: taps, patterns: patterns, hasLogits: logits != nil)
        let sweeps = sweeps(sequences)
        let layersRun = (firstLayer..<c.layers).count { end >= Site(.residPre, layer: $0) }
        let totalWork = sequences.tokens.count * layersRun
        var done = 0
        for sweep in sweeps {
            let first = sequences.starts[sweep.lowerBound]
            let rows = sequences.starts[sweep.upperBound] - first
            let residual = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(rows, 1) * c.hiddenSize * 4, alignment: 64
            ).bindMemory(to: Float.self).baseAddress!
            defer { residual.deallocate() }
            let packs = packs(of: sweep, sequences)
            func select(_ pack: Range<Int>) {
                let offset = (sequences.starts[pack.lowerBound] - first) * c.hiddenSize
                pass.select(prompts: pack, residual: residual + offset)
            }
            if let start {
                start.copy(rows: first..<first + rows, into: residual, width: c.hiddenSize)
            } else {
                for pack in packs {
                    select(pack)
                    try embed(pass)
                }
            }
            for layer in firstLayer..<c.layers where end >= Site(.residPre, layer: layer) {
                for pack in packs {
                    select(pack)
                    try model.runLayer(layer, pass, until: end)
                    done += pass.rows
                    control.report(done: done, total: totalWork, unit: "token-layers")
                }
            }
            if everyTap.contains(where: { $0.wants(Site(.lnFinalNormalized)) }) {
                for pack in packs {
                    select(pack)
                    let normed = workspace.buffer(.normed, pass.rows * c.hiddenSize)
                    model.finalNorm(pass.residual, rows: pass.rows, into: normed)
                    try pass.visit(Site(.lnFinalNormalized), normed, width: c.hiddenSize)
                }
            }
            if let logits {
                try self.logits(logits, pass: pass, residual: residual, sweepRows: first..<first + rows)
            }
        }
        if let selfTest, selfTest.hasRun {
            try selfTest.check()
            // A run that stopped early has seen only some of the layers.
            hasTestedItself = end >= Site(.residPost, layer: c.layers - 1)
        }
        return RunSummary(tokens: sequences.tokens.count, operations: pass.operations)
    }

    /// Logits that a residual stream would give if it were the last layer's: the logit lens. (nostalgebraist 2020.)
    ///
    /// - Parameter residuals: [rows, hidden]
    package func unembed(
        _ residuals: Matrix, control: RunControl,
        receive: @escaping (Range<Int>, UnsafePointer<Float>, ThreadPool) throws -> Void
    ) throws {
        let rows = residuals.rows
        let sequences = TokenSequences([[Int32]](repeating: [0], count: rows))
        let pass = Pass(
            pool: pool, workspace: workspace, control: control, sequences: sequences, taps: [], edits: [],
            packs: packsWeights, precision: precision)
        var values = residuals.values
        try values.withUnsafeMutableBufferPointer { buffer in
            try logits(
                LogitsRequest(rows: Array(0..<rows), receive: receive), pass: pass, residual: buffer.baseAddress!,
                sweepRows: 0..<rows)
        }
    }

    /// Runs a few tokens and checks that the model's parts add up.
    ///
    /// - Throws: `ModelError.selfTest` when they do not.
    package func selfTest(control: RunControl) throws {
        hasTestedItself = false
        let vocabulary = model.configuration.vocabularySize
        let tokens = (0..<Int32(min(3, vocabulary, model.configuration.maxPositions))).map(\.self)
        let request = LogitsRequest(rows: [tokens.count - 1]) { _, logits, _ in
            let values = UnsafeBufferPointer(start: logits, count: vocabulary)
            guard values.allSatisfy(\.isFinite) else { throw ModelError.notFinite(site: "logits") }
        }
        try run(TokenSequences([tokens]), logits: request, control: control)
    }

    // MARK: Stages

    func embed(_ pass: Pass) throws {
        let width = model.configuration.hiddenSize
        let weight = model.embedding
        let bytes = weight.view.bytes.baseAddress!
        let size = width * weight.elementType.byteCount
        let (first, residual) = (pass.firstRow, pass.residual!)
        try pass.forRows { range in
            for row in range {
                let token = Int(pass.sequences.tokens[first + row])
                Widening.widen(bytes + token * size, weight.elementType, into: residual + row * width, count: width)
            }
        }
        if let scale = model.embeddingScale {
            try pass.forRows { range in
                for index in range.lowerBound * width..<range.upperBound * width { residual[index] *= scale }
            }
        }
        try pass.visit(Site(.embed), residual, width: width)
        guard let learned = model.positionEmbedding else { return }
        let positions = workspace.buffer(.out, pass.rows * width)
        let places = pass.placeOfRow()
        try pass.forRows { range in
            for row in range {
                Widening.widen(
                    learned.view.bytes.baseAddress! + places[row].position * width * learned.elementType.byteCount,
                    learned.elementType, into: positions + row * width, count: width)
            }
        }
        try pass.visit(Site(.posEmbed), positions, width: width)
        try pass.forRows { range in
            let start = range.lowerBound * width
            VectorMath.add(positions + start, to: residual + start, count: range.count * width)
        }
    }

    func logits(
        _ request: LogitsRequest, pass: Pass, residual: UnsafeMutablePointer<Float>, sweepRows: Range<Int>
    ) throws {
        let width = model.configuration.hiddenSize
        let vocabulary = model.configuration.vocabularySize
        let wanted = request.rows.indices.filter { sweepRows.contains(request.rows[$0]) }
        guard let firstWanted = wanted.first else { return }
        let last = wanted.count + firstWanted
        let chunkRows = min(Self.logitRows, wanted.count)
        let gathered = workspace.buffer(.gathered, chunkRows * width)
        let normed = workspace.buffer(.normed, chunkRows * width)
        let result = workspace.buffer(.logits, chunkRows * vocabulary)
        let final = Site(.lnFinalNormalized)
        for start in stride(from: firstWanted, to: last, by: Self.logitRows) {
            let chunk = start..<min(start + Self.logitRows, last)
            for (index, entry) in chunk.enumerated() {
                let row = request.rows[entry] - sweepRows.lowerBound
                (gathered + index * width).update(from: residual + row * width, count: width)
            }
            model.finalNorm(gathered, rows: chunk.count, into: normed)
            for edit in pass.edits where edit.applies(to: final) {
                for (index, entry) in chunk.enumerated() {
                    edit.apply(
                        at: final,
                        to: ActivationBlock(
                            firstRow: request.rows[entry], rows: 1, width: width, values: normed + index * width,
                            sequences: pass.sequences, pasts: pass.pasts, promptTokens: pass.promptTokens))
                }
            }
            try pass.linear(normed, rows: chunk.count, [(model.unembedding, .store(result))])
            if let cap = model.configuration.logitSoftCap {
                try pool.run(tasks: chunk.count) { row, _ in
                    VectorMath.softCap(result + row * vocabulary, cap: cap, count: vocabulary)
                }
            }
            try request.receive(chunk, result, pool)
        }
    }

    // MARK: Packing

    /// Prompts whose residual streams fit the memory budget together; at least one prompt each.
    private func sweeps(_ sequences: TokenSequences) -> [Range<Int>] {
        let limit = max(packTokens, memoryBudget / (model.configuration.hiddenSize * 4))
        return sequences.groups(0..<sequences.count, limit: limit)
    }

    private func packs(of sweep: Range<Int>, _ sequences: TokenSequences) -> [Range<Int>] {
        sequences.groups(sweep, limit: packTokens)
    }
}
