import Control
import LinearAlgebra
import Sites

/// Memory that a pass over a pack of prompts works in, allocated once for the largest pack.
final class Workspace {
    private var buffers: [Slot: UnsafeMutableBufferPointer<Float>] = [:]

    enum Slot: Hashable {
        case normed, ahead, rounded, fused, q, k, v, headQ, headK, headV, z, out, gate, up, post, gathered, logits,
            stream
    }

    deinit {
        for buffer in buffers.values { buffer.deallocate() }
    }

    /// Uninitialised memory for at least `count` floats, 64-byte aligned.
    func buffer(_ slot: Slot, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let buffer = buffers[slot], buffer.count >= count { return buffer.baseAddress! }
        buffers[slot]?.deallocate()
        let raw = PageArena.scratch(byteCount: max(count, 16) * 4)
        let buffer = raw.bindMemory(to: Float.self)
        buffers[slot] = buffer
        return buffer.baseAddress!
    }
}

/// Prompts that are run through a layer together, and the operations a layer is made of.
///
/// An architecture composes these operations; each runs on all threads of the pool and checks for cancellation first.
/// What each computes for a row does not depend on the other rows of the pack or on the number of threads.
package final class Pass {
    let pool: ThreadPool
    let workspace: Workspace
    let control: RunControl
    let taps: [any Tap]
    let edits: [any Edit]
    let patterns: [any PatternTap]
    let sequences: TokenSequences
    /// Whether weights are packed once and kept: see `Runner.packsWeights`.
    let packs: Bool
    let precision: Precision
    /// Keys and values of generations in progress, one for each prompt.
    let cache: CacheBatch?
    /// By prompt: its tokens without those that were generated; empty where every row is of a prompt.
    let promptTokens: [Int]

    /// The pack: whole prompts `prompts`, rows `firstRow..<firstRow + rows` of all tokens.
    private(set) var prompts: Range<Int> = 0..<0
    private(set) var firstRow = 0
    private(set) var rows = 0
    /// [rows, hidden]: the pack's rows of the residual stream.
    private(set) var residual: UnsafeMutablePointer<Float>!

    /// Floating-point operations of the products so far.
    private(set) var operations = 0.0

    func count(operations: Double) { self.operations += operations }

    init(
        pool: ThreadPool, workspace: Workspace, control: RunControl, sequences: TokenSequences, taps: [any Tap],
        edits: [any Edit], patterns: [any PatternTap] = [], packs: Bool, precision: Precision = .f32,
        cache: CacheBatch? = nil, promptTokens: [Int] = []
    ) {
        self.pool = pool
        self.workspace = workspace
        self.control = control
        self.sequences = sequences
        self.taps = taps
        self.edits = edits
        self.patterns = patterns
        self.packs = packs
        self.precision = precision
        self.cache = cache
        self.promptTokens = promptTokens
    }

    func select(prompts: Range<Int>, residual: UnsafeMutablePointer<Float>) {
        self.prompts = prompts
        firstRow = sequences.starts[prompts.lowerBound]
        rows = sequences.starts[prompts.upperBound] - firstRow
        self.residual = residual
    }

    /// Tokens that stand in a prompt's cache before its first row in this pack.
    func past(of prompt: Int) -> Int { cache?.caches[prompt].count ?? 0 }

    /// By prompt, as `past(of:)`; empty without a cache.
    var pasts: [Int] { cache?.caches.map(\.count) ?? [] }

    /// Whether every row is the next token of its own prompt, whose tokens so far are in its cache.
    var isDecoding: Bool { cache?.caches.contains { $0.count > 0 } ?? false }

    // MARK: Sites

    func isWatched(_ site: Site) -> Bool {
        edits.contains { $0.applies(to: site) } || taps.contains { $0.wants(site) }
    }

    /// Gives the site's rows to every edit that applies, then to every tap that wants them.
    func visit(_ site: Site, _ values: UnsafeMutablePointer<Float>, width: Int) throws {
        guard isWatched(site) else { return }
        try control.checkCancellation()
        try apply(edits.filter { $0.applies(to: site) }, at: site, values, width: width)
        let block = ActivationBlock(firstRow: firstRow, rows: rows, width: width, values: values, sequences: sequences)
        for tap in taps where tap.wants(site) { try tap.receive(site, block) }
    }

    /// Every edit in its order on each row, the rows on all threads.
    private func apply(_ edits: [any Edit], at site: Site, _ values: UnsafeMutablePointer<Float>, width: Int) throws {
        guard !edits.isEmpty else { return }
        let pasts = pasts
        try forRows { range in
            let block = ActivationBlock(
                firstRow: firstRow + range.lowerBound, rows: range.count, width: width,
                values: values + range.lowerBound * width, sequences: sequences, pasts: pasts,
                promptTokens: promptTokens)
            for edit in edits { edit.apply(at: site, to: block) }
        }
    }

    // MARK: Rows

    /// Runs `body` over all rows of the pack, in chunks on all threads.
    func forRows(_ body: (Range<Int>) -> Void) throws {
        try control.checkCancellation()
        let chunk = rows >= 128 ? 32 : 8
        let rows = rows
        try pool.run(tasks: (rows + chunk - 1) / chunk) { task, _ in
            body(task * chunk..<min(rows, (task + 1) * chunk))
        }
    }

    /// Norm of every row, or of each of `perRow` equal parts of a row. x, result: [rows, perRow · width]; may be the same
    func normalize(
        _ x: UnsafePointer<Float>, _ norm: Norm, into result: UnsafeMutablePointer<Float>, perRow: Int = 1
    ) throws {
        let width = norm.width
        try forRows { range in
            for part in range.lowerBound * perRow..<range.upperBound * perRow {
                norm.apply(x + part * width, into: result + part * width)
            }
        }
    }
}
