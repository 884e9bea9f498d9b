import Sites

/// One layer: attention and MLP, one after the other or side by side, each adding to the residual stream.
struct DecoderLayer: Sendable {
    let attention: AttentionPart
    let mlp: MLPPart
    /// Both parts read the layer's input. (GPT-J; Black et al. 2022, section 2.1.)
    var isParallel = false

    func run(_ run: LayerRun) throws {
        let pass = run.pass
        let width = run.configuration.hiddenSize
        let resid = pass.residual!  // [rows, hidden]
        try run.visit(.residPre, resid, width: width)
        if run.ends(.residPre) { return }
        // The MLP's input is made before attention changes what it is made of.
        let ahead = isParallel ? try mlp.normalized(run, slot: .ahead) : nil
        guard try attention.run(run) else { return }
        if !isParallel {
            try run.visit(.residMid, resid, width: width)
            if run.ends(.residMid) { return }
        }
        guard try mlp.run(run, normed: ahead ?? mlp.normalized(run, slot: .normed)) else { return }
        try run.visit(.residPost, resid, width: width)
    }
}

/// Attention with the norms around it.
struct AttentionPart: Sendable {
    /// How the products that make queries, keys and values are stored.
    enum Projections: Sendable {
        /// [heads · d, hidden], [key-value heads · d, hidden] twice.
        case separate(q: Weight, k: Weight, v: Weight)
        /// [head, (q, k, v), d] rows of one matrix.
        case interleaved(Weight)
    }

    var inputNorm: Norm?
    let projections: Projections
    /// Norm of the queries before rotation: over each head if it is one head wide, else over all heads at once.
    var queryNorm: Norm?
    var keyNorm: Norm?
    let rotary: Rotary?
    /// [hidden, heads · d]
    let output: Weight
    /// Norm of what attention adds.
    var outputNorm: Norm?

    /// - Returns: false if the run ends within this part.
    func run(_ run: LayerRun) throws -> Bool {
        let pass = run.pass
        let c = run.configuration
        let d = c.headDimension
        let queries = c.heads * d
        let keys = c.keyValueHeads * d
        let options = c.attention[run.layer]
        var input = pass.residual!
        if let inputNorm {
            input = run.buffer(.normed, width: c.hiddenSize)
            try pass.normalize(pass.residual, inputNorm, into: input)
            try run.visit(.ln1Normalized, input, width: c.hiddenSize)
        }
        if run.ends(.ln1Normalized) { return false }
        let q = run.buffer(.q, width: queries)  // [rows, heads · d]
        let k = run.buffer(.k, width: keys)
        let v = run.buffer(.v, width: keys)
        switch projections {
        case .separate(let wq, let wk, let wv):
            try pass.linear(input, [(wq, .store(q)), (wk, .store(k)), (wv, .store(v))])
        case .interleaved(let weight):
            let fused = run.buffer(.fused, width: weight.outputs)
            try pass.linear(input, [(weight, .store(fused))])
            try pass.separate(fused, heads: c.heads, d: d, q, k, v)
        }
        try run.visit(.q, q, width: queries)
        try run.visit(.k, k, width: keys)
        try run.visit(.v, v, width: keys)
        if run.ends(.v) { return false }
        if let queryNorm { try pass.normalize(q, queryNorm, into: q, perRow: queries / queryNorm.width) }
        if let keyNorm { try pass.normalize(k, keyNorm, into: k, perRow: keys / keyNorm.width) }
        let headQ = run.buffer(.headQ, width: queries)  // [head, rows, d]
        let headK = run.buffer(.headK, width: keys)
        let headV = run.buffer(.headV, width: keys)
        if let rotary {
            try pass.rotate(q, heads: c.heads, d: d, rotary, limit: c.maxPositions, into: headQ)
            try pass.rotate(k, heads: c.keyValueHeads, d: d, rotary, limit: c.maxPositions, into: headK)
        } else {
            try pass.splitHeads(q, heads: c.heads, d: d, into: headQ)
            try pass.splitHeads(k, heads: c.keyValueHeads, d: d, into: headK)
        }
        try pass.splitHeads(v, heads: c.keyValueHeads, d: d, into: headV)
        if rotary != nil {
            try pass.visitHeads(run.site(.rotQ), headQ, heads: c.heads, d: d)
            try pass.visitHeads(run.site(.rotK), headK, heads: c.keyValueHeads, d: d)
        }
        if run.ends(.rotK) { return false }
        pass.cache?.append(layer: run.layer, k: headK, v: headV)
        let z = run.buffer(.z, width: queries)  // [rows, heads · d]
        if pass.isDecoding {
            try pass.cachedAttention(
                q: headQ, layer: run.layer, heads: c.heads, group: c.group, d: d, options, into: z)
        } else {
            try pass.causalAttention(
                q: headQ, k: headK, v: headV, layer: run.layer, heads: c.heads, group: c.group, d: d, options, into: z)
        }
        if run.ends(.pattern) { return false }
        try run.visit(.z, z, width: queries)
        if run.ends(.z) { return false }
        try pass.addToResidual(z, output, norm: outputNorm, site: run.site(.attnOut))
        return !run.ends(.attnOut)
    }
}

/// The MLP with the norms around it.
struct MLPPart: Sendable {
    var inputNorm: Norm?
    /// [intermediate, hidden]; nil: activation(up) without a gate.
    var gate: Weight?
    /// [intermediate, hidden]
    let up: Weight
    /// [hidden, intermediate]
    let down: Weight
    /// Norm of what the MLP adds.
    var outputNorm: Norm?

    /// The MLP's input. [rows, hidden]
    func normalized(_ run: LayerRun, slot: Workspace.Slot) throws -> UnsafeMutablePointer<Float> {
        guard let inputNorm else { return run.pass.residual }
        let normed = run.buffer(slot, width: inputNorm.width)
        try run.pass.normalize(run.pass.residual, inputNorm, into: normed)
        return normed
    }

    /// - Returns: false if the run ends within this part.
    func run(_ run: LayerRun, normed: UnsafeMutablePointer<Float>) throws -> Bool {
        let pass = run.pass
        let width = run.configuration.intermediateSize
        let activation = run.configuration.activation
        if inputNorm != nil { try run.visit(.ln2Normalized, normed, width: run.configuration.hiddenSize) }
        if run.ends(.ln2Normalized) { return false }
        let post = run.buffer(.post, width: width)
        if let gate, !run.isWatched(.mlpPre), !run.isWatched(.mlpPreLinear) {
            try pass.gatedLinear(normed, gate: gate, up: up, activation, into: post)
        } else {
            let pre = run.buffer(.gate, width: width)
            var linear: UnsafeMutablePointer<Float>?
            if let gate {
                let lifted = run.buffer(.up, width: width)
                try pass.linear(normed, [(gate, .store(pre)), (up, .store(lifted))])
                linear = lifted
            } else {
                try pass.linear(normed, [(up, .store(pre))])
            }
            try run.visit(.mlpPre, pre, width: width)
            if let linear { try run.visit(.mlpPreLinear, linear, width: width) }
            if run.ends(.mlpPreLinear) { return false }
            try pass.activate(pre, activation, times: linear, width: width, into: post)
        }
        try run.visit(.mlpPost, post, width: width)
        if run.ends(.mlpPost) { return false }
        try pass.addToResidual(post, down, norm: outputNorm, site: run.site(.mlpOut))
        return !run.ends(.mlpOut)
    }
}
