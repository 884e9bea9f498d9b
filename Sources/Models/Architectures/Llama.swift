/// Llama: pre-norm, grouped-query attention with rotary positions, gated MLP. (Touvron et al. 2023; Dubey et al. 2024.)
struct Llama: LlamaDescendant {
    static let modelTypes = ["llama"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape()
        try reader.refuse("use_qk_norm", unless: false)
        let positions = try reader.positions(default: 2048)
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        let configuration = ModelConfiguration(
            reader, modelType: "llama", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary), count: shape.layers))
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"), queryKeyValueBias: bias,
            outputBias: bias, mlpBias: try reader.flag("mlp_bias", default: false))
    }
}
