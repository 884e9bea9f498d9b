import Sites

/// What the descendants of Llama share: names of tensors, a pre-norm residual stream, a gated MLP.
struct LlamaLike: Sendable {
    let configuration: ModelConfiguration
    let epsilon: Float
    var queryKeyValueBias = false
    var outputBias = false
    var mlpBias = false

    /// Norms of queries and keys before rotation.
    enum HeadNorm { case none, perHead, wholeWidth }
    var headNorm = HeadNorm.none
    /// Norm weights are stored less 1. (Gemma.)
    var hasOffsetNorms = false

    /// Where the norms of a layer stand.
    enum NormPlacement {
        /// Before each part: `input_layernorm`, `post_attention_layernorm`.
        case before
        /// After each part: `post_attention_layernorm`, `post_feedforward_layernorm`. (OLMo 2 report, section 3.2.)
        case after
        /// Both before and after. (Gemma 2 report, section 2.)
        case around
    }
    var normPlacement = NormPlacement.before
    var scalesEmbedding = false
    /// Queries, keys and values in one matrix, gate and up in another. (Phi-3.)
    var isFused = false
    /// Settings that one of the descendants alone has.
    var extraSettings: [ModelSetting] = []

    /// The settings that the configuration does not hold.
    var ownSettings: [ModelSetting] {
        [
            ModelSetting("rms_norm_eps", epsilon), ModelSetting("attention_bias", queryKeyValueBias),
            ModelSetting("mlp_bias", mlpBias),
        ] + extraSettings
    }

    func decoder(_ binder: WeightBinder) throws -> Decoder {
        let c = configuration
        let bind = binder.under("model.", sample: "embed_tokens.weight")
        let embedding = try bind.matrix("embed_tokens", outputs: c.vocabularySize, inputs: c.hiddenSize)
        try bind.checkLayers(c.layers) {
            "layers.\($0).self_attn.o_proj.weight"
        }
        var rotaries: [Rotary] = []
        func rotary(_ layer: Int) -> Rotary? {
            guard let wanted = c.attention[layer].rotary else { return nil }
            if let known = rotaries.first(where: { $0.configuration == wanted }) { return known }
            let made = Rotary(wanted)
            rotaries.append(made)
            return made
        }
        return Decoder(
            c, embedding: embedding, embeddingScale: scalesEmbedding ? Float(Double(c.hiddenSize).squareRoot()) : nil,
            unembedding: c.tiedEmbeddings
                ? embedding : try binder.matrix("lm_head", outputs: c.vocabularySize, inputs: c.hiddenSize),
            bodyPrefix: "model.",
            norm: try norm("norm", bind, width: c.hiddenSize),
            layers: try (0..<c.layers).map { layer in
                let at = "layers.\(layer)"
                return DecoderLayer(
                    attention: try attention(at, bind, rotary: rotary(layer)), mlp: try mlp(at, bind))
            })
    }

    private func norm(_ name: String, _ bind: WeightBinder, width: Int) throws -> Norm {
        try bind.rmsNorm(name, width: width, epsilon: epsilon, isOffset: hasOffsetNorms)
    }

    private func attention(_ at: String, _ bind: WeightBinder, rotary: Rotary?) throws -> AttentionPart {
        let c = configuration
        let a = "\(at).self_attn"
        let (queries, keys) = (c.heads * c.headDimension, c.keyValueHeads * c.headDimension)
        func projection(_ name: String, _ outputs: Int) throws -> Weight {
            try bind.matrix("\(a).\(name)", outputs: outputs, inputs: c.hiddenSize, bias: queryKeyValueBias)
        }
        let projections: AttentionPart.Projections
        if isFused {
            let parts = try bind.stacked("\(a).qkv_proj", outputs: [queries, keys, keys], inputs: c.hiddenSize)
            projections = .separate(q: parts[0], k: parts[1], v: parts[2])
        } else {
            projections = .separate(
                q: try projection("q_proj", queries), k: try projection("k_proj", keys),
                v: try projection("v_proj", keys))
        }
        func queryOrKeyNorm(_ name: String, _ width: Int) throws -> Norm? {
            switch headNorm {
            case .none: nil
            case .perHead: try norm("\(a).\(name)", bind, width: c.headDimension)
            case .wholeWidth: try norm("\(a).\(name)", bind, width: width)
            }
        }
        return AttentionPart(
            inputNorm: normPlacement == .after ? nil : try norm("\(at).input_layernorm", bind, width: c.hiddenSize),
            projections: projections, queryNorm: try queryOrKeyNorm("q_norm", queries),
            keyNorm: try queryOrKeyNorm("k_norm", keys), rotary: rotary,
            output: try bind.matrix("\(a).o_proj", outputs: c.hiddenSize, inputs: queries, bias: outputBias),
            outputNorm: normPlacement == .before
                ? nil : try norm("\(at).post_attention_layernorm", bind, width: c.hiddenSize))
    }

    private func mlp(_ at: String, _ bind: WeightBinder) throws -> MLPPart {
        let c = configuration
        let m = "\(at).mlp"
        let inputNorm: Norm? =
            switch normPlacement {
            case .before: try norm("\(at).post_attention_layernorm", bind, width: c.hiddenSize)
            case .after: nil
            case .around: try norm("\(at).pre_feedforward_layernorm", bind, width: c.hiddenSize)
            }
        let lifting: [Weight]
        if isFused {
            lifting = try bind.stacked(
                "\(m).gate_up_proj", outputs: [c.intermediateSize, c.intermediateSize], inputs: c.hiddenSize)
        } else {
            lifting = try ["gate_proj", "up_proj"].map {
                try bind.matrix("\(m).\($0)", outputs: c.intermediateSize, inputs: c.hiddenSize, bias: mlpBias)
            }
        }
        return MLPPart(
            inputNorm: inputNorm, gate: lifting[0], up: lifting[1],
            down: try bind.matrix(
                "\(m).down_proj", outputs: c.hiddenSize, inputs: c.intermediateSize, bias: mlpBias),
            outputNorm: normPlacement == .before
                ? nil : try norm("\(at).post_feedforward_layernorm", bind, width: c.hiddenSize))
    }
}

/// An architecture that is Llama with some of its parts exchanged.
protocol LlamaDescendant: Architecture {
    var model: LlamaLike { get }
}

extension LlamaDescendant {
    var configuration: ModelConfiguration { model.configuration }
    var ownSettings: [ModelSetting] { model.ownSettings }

    func decoder(_ bind: WeightBinder) throws -> Decoder { try model.decoder(bind) }
}

extension Set<Site.Kind> {
    /// Sites that Llama and its like do not have.
    static let notInLlama: Self = [.posEmbed]
}

extension ModelShape {
    /// What every layer's attention has in common: 1/√d, rotary embedding, a window or none.
    func attention(
        _ rotary: RotaryConfiguration, softCap: Float? = nil, scale: Float? = nil, window: Int? = nil
    ) -> AttentionConfiguration {
        AttentionConfiguration(
            scale: scale ?? 1 / Float(headDimension).squareRoot(), softCap: softCap, window: window, rotary: rotary)
    }
}
