/// Gemma 2: norms before and after each part, alternating windows, soft caps on scores and logits, scaled embeddings.
/// (Gemma Team 2024.)
struct Gemma2: LlamaDescendant {
    static let modelTypes = ["gemma2"]
    static let settingNames = ["hidden_act": "hidden_activation"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 4, headDimension: 256)
        try reader.refuse("use_bidirectional_attention", unless: false)
        let positions = try reader.positions(default: 8192)
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        let scale = try reader.gemmaScale()
        let cap = try reader.softCap("attn_logit_softcapping", default: 50)
        let isSliding = try reader.slidingLayers(shape.layers) { $0 % 2 == 0 }
        let window = try reader.gemmaWindow(isSliding)
        let configuration = ModelConfiguration(
            reader, modelType: "gemma2", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: true),
            activation: try reader.activation("hidden_activation", default: .geluTanh), without: .notInLlama,
            attention: isSliding.map {
                shape.attention(rotary, softCap: cap, scale: scale, window: $0 ? window : nil)
            }, logitSoftCap: try reader.softCap("final_logit_softcapping", default: 30))
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"), queryKeyValueBias: bias,
            outputBias: bias, hasOffsetNorms: true, normPlacement: .around, scalesEmbedding: true,
            extraSettings: [try reader.gemmaScaleSetting()])
    }
}

extension ConfigurationReader {
    /// 1/√query_pre_attn_scalar.
    func gemmaScale() throws -> Float { Float(1 / (try gemmaScalar()).squareRoot()) }

    /// The setting from which the scale of attention scores follows.
    func gemmaScaleSetting() throws -> ModelSetting { ModelSetting("query_pre_attn_scalar", try gemmaScalar()) }

    private func gemmaScalar() throws -> Double { try number("query_pre_attn_scalar", default: 256, above: 0) }

    /// The window of the sliding layers; nil where there are none.
    func gemmaWindow(_ isSliding: [Bool]) throws -> Int? {
        guard isSliding.contains(true) else { return nil }
        guard mentions("sliding_window") else { return 4096 }
        guard has("sliding_window") else {
            throw problem("sliding_window", "null, but layers have sliding_attention")
        }
        return try count("sliding_window", limit: 1 << 30)
    }
}
