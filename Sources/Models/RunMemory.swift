import LinearAlgebra
package import Sites

/// How a run divides its tokens, and the anonymous memory that it then takes.
package struct RunPlan: Sendable, Equatable {
    /// Tokens that go through a layer together.
    package let packTokens: Int
    /// Tokens whose residual streams are kept between layers.
    package let sweepTokens: Int
    /// Whether weights are packed and kept once they have met many rows.
    package let packsWeights: Bool
    /// The most memory that the run takes, in bytes.
    package let bytes: Int
}

/// What a run of a model keeps in anonymous memory: an upper bound from the model's sizes.
///
/// A token of a sweep keeps its residual stream; a token of a pack keeps one row of every buffer of a layer; a thread
/// keeps its tiles and the scores of 64 queries. Mapped weights are not counted: the system takes them back when it
/// needs to.
package struct RunMemory: Sendable {
    /// Bytes of a token of a sweep.
    package let sweepBytes: Int
    /// Bytes of a token of a pack.
    package let packBytes: Int
    /// Bytes whatever the number of tokens.
    package let fixedBytes: Int
    /// Bytes of all packed weights.
    package let packedBytes: Int
    /// Tokens of the longest prompt, which is never divided.
    package let longest: Int
    /// Tokens of the run.
    package let tokens: Int

    /// - Parameters:
    ///   - selections: what is captured; each pack gathers the rows of one before they are written.
    ///   - logits: whether logits are computed.
    package init(
        _ c: ModelConfiguration, threads: Int, sequences: TokenSequences, selections: [SiteSelection] = [],
        logits: Bool
    ) {
        let queries = c.heads * c.headDimension
        let keys = c.keyValueHeads * c.headDimension
        let gathered = selections.reduce(0) { max($0, $1.site.kind == .logits ? 0 : c.width(of: $1)) }
        // Norms and what is added; q, rotated q, z, gathered; k, v and both head by head; gate, up and their product;
        // what a fused projection gives.
        let floats =
            3 * c.hiddenSize + 4 * max(queries, c.hiddenSize) + 4 * keys + 3 * c.intermediateSize
            + max(queries + 2 * keys, 2 * c.intermediateSize) + gathered
        let widest = max(c.hiddenSize, queries, c.intermediateSize)
        let longest = sequences.longest
        // Two results of a product's part, the kernels' own scratch, and two weights that are converted first; scores and
        // result of a block of queries, and copies of them for whoever reads patterns.
        let tile = 2 * 288 * 384 + Products.scratchByteCount(rows: 288, inputs: widest) / 4 + 3 * 192 * widest
        let thread = tile + 64 * c.group * (2 * longest + 2 * c.headDimension) + 64 * longest
        let rotary = longest * c.headDimension
        let unembedding = logits ? 64 * (c.vocabularySize + 2 * c.hiddenSize) + 192 * c.hiddenSize : 0
        sweepBytes = 4 * c.hiddenSize
        packBytes = 4 * floats
        // What the allocator adds, and the libraries with the code they make for each shape: measured, 21 MB at most.
        fixedBytes = 4 * (threads * thread + rotary + unembedding) + (24 << 20)
        packedBytes = Int(min(Runner.packedBytes(c), 0x1p60))
        self.longest = longest
        tokens = sequences.tokens.count
    }

    /// The least that the run can do with.
    package var smallest: Int { fixedBytes + max(longest, 1) * (sweepBytes + packBytes) }

    /// The plan that uses at most `budget` bytes and is fastest; nil if that is less than `smallest`.
    package func plan(budget: Int) -> RunPlan? {
        guard budget >= smallest else { return nil }
        let wanted = min(Runner.packTokens, max(tokens, 1))
        // Packed weights save a tenth of the time, so they come after packs of full size.
        let withPacked = fixedBytes + max(wanted, longest) * (sweepBytes + packBytes) + packedBytes
        let packsWeights = budget >= withPacked
        let free = budget - fixedBytes - (packsWeights ? packedBytes : 0)
        let pack = max(longest, min(wanted, free / (sweepBytes + packBytes)))
        let sweep = min(max(tokens, 1), (free - pack * packBytes) / sweepBytes)
        return plan(pack: pack, sweep: max(sweep, pack), packsWeights: packsWeights)
    }

    /// The plan when nobody set a limit: full packs and sweeps of 128 MiB.
    package func defaultPlan(packsWeights: Bool) -> RunPlan {
        let pack = max(longest, min(Runner.packTokens, tokens))
        let sweep = max(pack, min(tokens, Runner.defaultSweepBytes / sweepBytes))
        return plan(pack: pack, sweep: sweep, packsWeights: packsWeights)
    }

    private func plan(pack: Int, sweep: Int, packsWeights: Bool) -> RunPlan {
        RunPlan(
            packTokens: pack, sweepTokens: sweep, packsWeights: packsWeights,
            bytes: fixedBytes + pack * packBytes + sweep * sweepBytes + (packsWeights ? packedBytes : 0))
    }
}
