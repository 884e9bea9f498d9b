import LinearAlgebra

/// Llama: pre-norm, grouped-query attention with rotary positions, gated MLP. (Touvron et al. 2023.)
package final class Llama: Architecture {
    package static let modelTypes = ["llama"]

    package let configuration: ModelConfiguration
    package let embedding: Weight
    package let unembedding: Weight
    private let layers: [Layer]
    private let norm: [Float]
    private let rotary: Rotary

    /// The weights of one layer, under their names in the checkpoint.
    private struct Layer {
        let inputNorm: [Float]  // input_layernorm
        let q: Weight  // self_attn.q_proj [heads · d, hidden]
        let k: Weight  // self_attn.k_proj [key-value heads · d, hidden]
        let v: Weight  // self_attn.v_proj
        let o: Weight  // self_attn.o_proj [hidden, heads · d]
        let postNorm: [Float]  // post_attention_layernorm
        let gate: Weight  // mlp.gate_proj [intermediate, hidden]
        let up: Weight  // mlp.up_proj
        let down: Weight  // mlp.down_proj [hidden, intermediate]
    }

    package init(configuration c: ModelConfiguration, weights: any WeightSource) throws {
        let bind = WeightBinder(weights)
        configuration = c
        embedding = try bind.matrix("model.embed_tokens", outputs: c.vocabularySize, inputs: c.hiddenSize)
        unembedding =
            c.tiedEmbeddings
            ? embedding : try bind.matrix("lm_head", outputs: c.vocabularySize, inputs: c.hiddenSize)
        norm = try bind.vector("model.norm.weight", count: c.hiddenSize)
        rotary = Rotary(dimension: c.headDimension, theta: c.ropeTheta)
        let queries = c.heads * c.headDimension
        let keys = c.keyValueHeads * c.headDimension
        layers = try (0..<c.layers).map { index in
            let at = "model.layers.\(index)"
            let a = "\(at).self_attn"
            let m = "\(at).mlp"
            return Layer(
                inputNorm: try bind.vector("\(at).input_layernorm.weight", count: c.hiddenSize),
                q: try bind.matrix("\(a).q_proj", outputs: queries, inputs: c.hiddenSize, bias: c.attentionBias),
                k: try bind.matrix("\(a).k_proj", outputs: keys, inputs: c.hiddenSize, bias: c.attentionBias),
                v: try bind.matrix("\(a).v_proj", outputs: keys, inputs: c.hiddenSize, bias: c.attentionBias),
                o: try bind.matrix("\(a).o_proj", outputs: c.hiddenSize, inputs: queries, bias: c.attentionBias),
                postNorm: try bind.vector("\(at).post_attention_layernorm.weight", count: c.hiddenSize),
                gate: try bind.matrix(
                    "\(m).gate_proj", outputs: c.intermediateSize, inputs: c.hiddenSize, bias: c.mlpBias),
                up: try bind.matrix("\(m).up_proj", outputs: c.intermediateSize, inputs: c.hiddenSize, bias: c.mlpBias),
                down: try bind.matrix(
                    "\(m).down_proj", outputs: c.hiddenSize, inputs: c.intermediateSize, bias: c.mlpBias))
        }
    }

    package func runLayer(_ index: Int, _ pass: Pass, until last: Site?) throws {
        let layer = layers[index]
        let c = configuration
        let d = c.headDimension
        let rows = pass.rows
        let resid = pass.residual!  // [rows, hidden]
        let site = { (kind: Site.Kind) in Site(kind, layer: index) }
        let ends = { (kind: Site.Kind) in last.map { $0 <= Site(kind, layer: index) } ?? false }
        let space = pass.workspace
        let normed = space.buffer(.normed, rows * c.hiddenSize)

        try pass.visit(site(.residPre), resid, width: c.hiddenSize)
        if ends(.residPre) { return }
        try pass.rmsNorm(resid, weight: layer.inputNorm, epsilon: c.normEpsilon, into: normed)
        try pass.visit(site(.ln1Normalized), normed, width: c.hiddenSize)
        if ends(.ln1Normalized) { return }

        // Attention
        let q = space.buffer(.q, rows * layer.q.outputs)  // [rows, heads · d]
        let k = space.buffer(.k, rows * layer.k.outputs)
        let v = space.buffer(.v, rows * layer.v.outputs)
        try pass.linear(normed, [(layer.q, .store(q)), (layer.k, .store(k)), (layer.v, .store(v))])
        try pass.visit(site(.q), q, width: layer.q.outputs)
        try pass.visit(site(.k), k, width: layer.k.outputs)
        try pass.visit(site(.v), v, width: layer.v.outputs)
        if ends(.v) { return }
        let headQ = space.buffer(.headQ, rows * layer.q.outputs)  // [head, rows, d]
        let headK = space.buffer(.headK, rows * layer.k.outputs)
        let headV = space.buffer(.headV, rows * layer.v.outputs)
        let table = rotary.table(positions: pass.longest, limit: c.maxPositions)
        try pass.rotate(q, heads: c.heads, table, into: headQ)
        try pass.rotate(k, heads: c.keyValueHeads, table, into: headK)
        try pass.splitHeads(v, heads: c.keyValueHeads, d: d, into: headV)
        try pass.visitHeads(site(.rotQ), headQ, heads: c.heads, d: d)
        try pass.visitHeads(site(.rotK), headK, heads: c.keyValueHeads, d: d)
        if ends(.rotK) { return }
        pass.cache?.append(layer: index, k: headK, v: headV, rows: rows)
        let z = space.buffer(.z, rows * layer.q.outputs)  // [rows, heads · d]
        if pass.past > 0 {
            try pass.cachedAttention(q: headQ, layer: index, heads: c.heads, group: c.group, d: d, into: z)
        } else {
            try pass.causalAttention(
                q: headQ, k: headK, v: headV, layer: index, heads: c.heads, group: c.group, d: d, into: z)
        }
        if ends(.pattern) { return }
        try pass.visit(site(.z), z, width: layer.q.outputs)
        if ends(.z) { return }
        try pass.addToResidual(z, layer.o, site: site(.attnOut))
        if ends(.attnOut) { return }
        try pass.visit(site(.residMid), resid, width: c.hiddenSize)
        if ends(.residMid) { return }

        // MLP
        try pass.rmsNorm(resid, weight: layer.postNorm, epsilon: c.normEpsilon, into: normed)
        try pass.visit(site(.ln2Normalized), normed, width: c.hiddenSize)
        if ends(.ln2Normalized) { return }
        let post = space.buffer(.post, rows * c.intermediateSize)
        if pass.isWatched(site(.mlpPre)) || pass.isWatched(site(.mlpPreLinear)) {
            let gate = space.buffer(.gate, rows * c.intermediateSize)
            let up = space.buffer(.up, rows * c.intermediateSize)
            try pass.linear(normed, [(layer.gate, .store(gate)), (layer.up, .store(up))])
            try pass.visit(site(.mlpPre), gate, width: c.intermediateSize)
            try pass.visit(site(.mlpPreLinear), up, width: c.intermediateSize)
            if ends(.mlpPreLinear) { return }
            try pass.siluProduct(gate, up, width: c.intermediateSize, into: post)
        } else {
            try pass.gatedLinear(normed, gate: layer.gate, up: layer.up, into: post)
        }
        try pass.visit(site(.mlpPost), post, width: c.intermediateSize)
        if ends(.mlpPost) { return }
        try pass.addToResidual(post, layer.down, site: site(.mlpOut))
        if ends(.mlpOut) { return }
        try pass.visit(site(.residPost), resid, width: c.hiddenSize)
    }

    package func finalNorm(_ x: UnsafePointer<Float>, rows: Int, into result: UnsafeMutablePointer<Float>) {
        let width = configuration.hiddenSize
        norm.withUnsafeBufferPointer { weight in
            for row in 0..<rows {
                VectorMath.rmsNorm(
                    x + row * width, weight: weight.baseAddress!, epsilon: configuration.normEpsilon,
                    into: result + row * width, count: width)
            }
        }
    }
}
