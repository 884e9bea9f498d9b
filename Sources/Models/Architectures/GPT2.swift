import Sites

/// GPT-2: learned positions, layer norms, matrices stored as [in, out]. (Radford et al. 2019.)
struct GPT2: Architecture {
    static let modelTypes = ["gpt2"]
    static let settingNames = [
        "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
        "intermediate_size": "n_inner", "max_position_embeddings": "n_positions", "hidden_act": "activation_function",
        "rms_norm_eps": "layer_norm_epsilon",
    ]
    static let endNames = EndNames(embedding: "wte.weight", head: "lm_head.weight", bodyPrefix: "transformer.")

    let configuration: ModelConfiguration
    let ownSettings: [ModelSetting]
    private let epsilon: Float

    init(_ reader: ConfigurationReader) throws {
        // Old files have names of their own; new ones may have the usual names.
        func count(_ key: String, _ alias: String, limit: Int = 1 << 24) throws -> Int {
            try reader.optionalCount(key, limit: limit) ?? reader.optionalCount(alias, limit: limit)
                ?? reader.count(key, limit: limit)
        }
        let hidden = try count("n_embd", "hidden_size")
        let heads = try count("n_head", "num_attention_heads", limit: 65_536)
        guard hidden % heads == 0 else {
            throw reader.problem("n_head", "\(heads) heads do not divide n_embd, which is \(hidden)")
        }
        let shape = ModelShape(
            hiddenSize: hidden, layers: try count("n_layer", "num_hidden_layers", limit: 10_000), heads: heads,
            keyValueHeads: heads, headDimension: hidden / heads, vocabularySize: try reader.count("vocab_size"))
        try reader.refuse("add_cross_attention", unless: false)
        epsilon = try reader.epsilon("layer_norm_epsilon", default: 1e-5)
        let scales = try reader.flag("scale_attn_weights", default: true)
        let scale = scales ? 1 / Float(shape.headDimension).squareRoot() : 1
        let scalesByLayer = try reader.flag("scale_attn_by_inverse_layer_idx", default: false)
        ownSettings = [
            ModelSetting("rms_norm_eps", epsilon), ModelSetting("scale_attn_weights", scales),
            ModelSetting("scale_attn_by_inverse_layer_idx", scalesByLayer),
        ]
        configuration = ModelConfiguration(
            reader, modelType: "gpt2", shape: shape,
            intermediateSize: try reader.optionalCount("n_inner") ?? 4 * hidden,
            maxPositions: try count("n_positions", "max_position_embeddings"),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: true),
            activation: try reader.activation("activation_function", default: .geluTanh),
            without: [.rotQ, .rotK, .mlpPreLinear],
            attention: (0..<shape.layers).map {
                AttentionConfiguration(scale: scalesByLayer ? scale / Float($0 + 1) : scale)
            })
    }

    func decoder(_ binder: WeightBinder) throws -> Decoder {
        let c = configuration
        let (width, inner) = (c.hiddenSize, c.intermediateSize)
        let bind = binder.under("transformer.", sample: "wte.weight")
        let embedding = try bind.matrix("wte", outputs: c.vocabularySize, inputs: width)
        try bind.checkLayers(c.layers, key: "n_layer") { "h.\($0).attn.c_proj.weight" }
        return Decoder(
            c, embedding: embedding,
            positionEmbedding: try bind.matrix("wpe", outputs: c.maxPositions, inputs: width),
            unembedding: c.tiedEmbeddings
                ? embedding : try binder.matrix("lm_head", outputs: c.vocabularySize, inputs: width),
            bodyPrefix: "transformer.",
            norm: try bind.layerNorm("ln_f", width: width, epsilon: epsilon),
            layers: try (0..<c.layers).map { index in
                let at = "h.\(index)"
                let qkv = try bind.columns("\(at).attn.c_attn", outputs: [width, width, width], inputs: width)
                return DecoderLayer(
                    attention: AttentionPart(
                        inputNorm: try bind.layerNorm("\(at).ln_1", width: width, epsilon: epsilon),
                        projections: .separate(q: qkv[0], k: qkv[1], v: qkv[2]), rotary: nil,
                        output: try bind.columns("\(at).attn.c_proj", outputs: [width], inputs: width)[0]),
                    mlp: MLPPart(
                        inputNorm: try bind.layerNorm("\(at).ln_2", width: width, epsilon: epsilon),
                        up: try bind.columns("\(at).mlp.c_fc", outputs: [inner], inputs: width)[0],
                        down: try bind.columns("\(at).mlp.c_proj", outputs: [width], inputs: inner)[0]))
            })
    }
}
