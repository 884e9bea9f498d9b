package import LinearAlgebra

extension Runner {
    /// Continues a prompt greedily, one token at a time, with a key-value cache.
    ///
    /// - Parameters:
    ///   - prompt: token ids, at least one.
    ///   - limit: most new tokens.
    ///   - stop: ids that end the text; the one met is not part of the result.
    ///   - receive: called with each new token as it is chosen.
    /// - Returns: the new tokens.
    package func generate(
        _ prompt: [Int32], limit: Int, stop: Set<Int32>, edits: [any Edit] = [], control: RunControl,
        receive: (Int32) -> Void = { _ in }
    ) throws -> [Int32] {
        let c = model.configuration
        let sequences = TokenSequences([prompt])
        try sequences.validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
        let room = min(limit, c.maxPositions - prompt.count)
        guard room > 0 else { return [] }
        let cache = KeyValueCache(
            layers: c.layers, heads: c.keyValueHeads, d: c.headDimension, limit: prompt.count + room)
        var result: [Int32] = []
        var next = try step(sequences, cache: cache, edits: edits, control: control)
        while true {
            if stop.contains(next) { return result }
            result.append(next)
            receive(next)
            control.report(done: result.count, total: room, unit: "tokens")
            if result.count == room { return result }
            next = try step(TokenSequences([[next]]), cache: cache, edits: edits, control: control)
        }
    }

    /// Runs new tokens of one prompt through all layers and returns the likeliest next token.
    private func step(
        _ sequences: TokenSequences, cache: KeyValueCache, edits: [any Edit], control: RunControl
    ) throws -> Int32 {
        let c = model.configuration
        let pass = Pass(
            pool: pool, workspace: workspace, control: control, sequences: sequences, taps: [], edits: edits,
            packs: packsWeights, precision: precision, cache: cache)
        let rows = sequences.tokens.count
        try cache.reserve(rows)
        let residual = workspace.buffer(.stream, rows * c.hiddenSize)
        pass.select(prompts: 0..<1, residual: residual)
        try embed(pass)
        for layer in 0..<c.layers { try model.runLayer(layer, pass, until: nil) }
        var best: Int32 = 0
        try logits(
            LogitsRequest(rows: [rows - 1]) { _, values, _ in best = try Self.argmax(values, count: c.vocabularySize) },
            pass: pass, residual: residual, sweepRows: 0..<rows)
        cache.advance(by: rows)
        return best
    }

    /// The index of the largest entry, the first one among equals.
    ///
    /// - Throws: `ModelError.notFinite` if any entry is NaN or infinite.
    private static func argmax(_ values: UnsafePointer<Float>, count: Int) throws -> Int32 {
        var best = 0
        for index in 0..<count {
            guard values[index].isFinite else { throw ModelError.notFinite(site: "logits") }
            if values[index] > values[best] { best = index }
        }
        return Int32(best)
    }
}
