import Sites

/// GPT-NeoX and Pythia: attention and MLP side by side, partly turned heads, layer norms. (Black et al. 2022.)
struct GPTNeoX: Architecture {
    static let modelTypes = ["gpt_neox"]
    static let settingNames = ["rms_norm_eps": "layer_norm_eps"]
    static let endNames = EndNames(embedding: "embed_in.weight", head: "embed_out.weight", bodyPrefix: "gpt_neox.")

    let configuration: ModelConfiguration
    private let epsilon: Float
    private let isParallel: Bool
    private let attentionBias: Bool

    var ownSettings: [ModelSetting] {
        [
            ModelSetting("rms_norm_eps", epsilon), ModelSetting("use_parallel_residual", isParallel),
            ModelSetting("attention_bias", attentionBias),
        ]
    }

    init(_ reader: ConfigurationReader) throws {
        let heads = try reader.count("num_attention_heads", limit: 65_536)
        var shape = try reader.shape()
        shape.keyValueHeads = heads
        let positions = try reader.positions(default: 2048)
        let rotary = try reader.rotary(
            head: shape.headDimension, maxPositions: positions, thetaKey: "rotary_emb_base", partial: 0.25,
            partialKey: "rotary_pct")
        isParallel = try reader.flag("use_parallel_residual", default: true)
        attentionBias = try reader.flag("attention_bias", default: true)
        epsilon = try reader.epsilon("layer_norm_eps", default: 1e-5)
        configuration = ModelConfiguration(
            reader, modelType: "gpt_neox", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .gelu),
            without: isParallel ? [.posEmbed, .mlpPreLinear, .residMid] : [.posEmbed, .mlpPreLinear],
            attention: Array(repeating: shape.attention(rotary), count: shape.layers))
    }

    func decoder(_ binder: WeightBinder) throws -> Decoder {
        let c = configuration
        let bind = binder.under("gpt_neox.", sample: "embed_in.weight")
        let embedding = try bind.matrix("embed_in", outputs: c.vocabularySize, inputs: c.hiddenSize)
        try bind.checkLayers(c.layers) { "layers.\($0).attention.dense.weight" }
        let rotary = c.attention[0].rotary.map(Rotary.init)
        let width = c.heads * c.headDimension
        return Decoder(
            c, embedding: embedding,
            unembedding: c.tiedEmbeddings
                ? embedding : try binder.matrix("embed_out", outputs: c.vocabularySize, inputs: c.hiddenSize),
            unembeddingName: "embed_out.weight", bodyPrefix: "gpt_neox.",
            norm: try bind.layerNorm("final_layer_norm", width: c.hiddenSize, epsilon: epsilon),
            layers: try (0..<c.layers).map { index in
                let at = "layers.\(index)"
                return DecoderLayer(
                    attention: AttentionPart(
                        inputNorm: try bind.layerNorm(
                            "\(at).input_layernorm", width: c.hiddenSize, epsilon: epsilon),
                        projections: .interleaved(
                            try bind.matrix(
                                "\(at).attention.query_key_value", outputs: 3 * width, inputs: c.hiddenSize,
                                bias: attentionBias)),
                        rotary: rotary,
                        output: try bind.matrix(
                            "\(at).attention.dense", outputs: c.hiddenSize, inputs: width, bias: attentionBias)),
                    mlp: MLPPart(
                        inputNorm: try bind.layerNorm(
                            "\(at).post_attention_layernorm", width: c.hiddenSize, epsilon: epsilon),
                        up: try bind.matrix(
                            "\(at).mlp.dense_h_to_4h", outputs: c.intermediateSize, inputs: c.hiddenSize, bias: true),
                        down: try bind.matrix(
                            "\(at).mlp.dense_4h_to_h", outputs: c.hiddenSize, inputs: c.intermediateSize, bias: true)),
                    isParallel: isParallel)
            })
    }
}
