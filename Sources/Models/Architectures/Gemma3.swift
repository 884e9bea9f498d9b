/// Gemma 3, text: Gemma 2 without the caps on scores, with norms over each head of queries and keys, five sliding layers
/// to one full, and a rotary base of its own for each kind. (Gemma Team 2025.)
struct Gemma3: LlamaDescendant {
    static let modelTypes = ["gemma3_text"]
    static let settingNames = ["hidden_act": "hidden_activation"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 4, headDimension: 256)
        try reader.refuse("use_bidirectional_attention", unless: false)
        let positions = try reader.positions(default: 131_072)
        if let rope = try reader.object("rope_parameters"),
            !rope.has("full_attention") || !rope.has("sliding_attention")
        {
            throw reader.problem("rope_parameters", "must have settings for full_attention and for sliding_attention")
        }
        let full = try reader.rotary(
            head: shape.headDimension, maxPositions: positions, layerType: "full_attention", theta: 1_000_000)
        let sliding = try reader.rotary(
            head: shape.headDimension, maxPositions: positions, layerType: "sliding_attention", theta: 10_000,
            thetaKey: "rope_local_base_freq", scales: false)
        let scale = try reader.gemmaScale()
        let pattern = try reader.optionalCount("sliding_window_pattern", limit: 10_000) ?? 6
        let isSliding = try reader.slidingLayers(shape.layers) { ($0 + 1) % pattern != 0 }
        let window = try reader.gemmaWindow(isSliding)
        let configuration = ModelConfiguration(
            reader, modelType: "gemma3_text", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: full.reach(positions), tiedEmbeddings: try reader.flag("tie_word_embeddings", default: true),
            activation: try reader.activation("hidden_activation", default: .geluTanh), without: .notInLlama,
            attention: isSliding.map {
                shape.attention($0 ? sliding : full, scale: scale, window: $0 ? window : nil)
            }, logitSoftCap: try reader.softCap("final_logit_softcapping", default: nil))
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"), queryKeyValueBias: bias,
            outputBias: bias, headNorm: .perHead, hasOffsetNorms: true, normPlacement: .around,
            scalesEmbedding: true,
            extraSettings: [
                try reader.gemmaScaleSetting(), ModelSetting("rope_local_base_freq", sliding.theta),
            ])
    }
}
