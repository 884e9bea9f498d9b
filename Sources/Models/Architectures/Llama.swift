/// Llama: pre-norm, grouped-query attention with rotary positions, gated MLP. (Touvron et al. 2023; Dubey et al. 2024.)
struct Llama: Architecture {
    static let modelTypes = ["llama"]

    let configuration: ModelConfiguration
    private let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape()
        try reader.refuse("use_qk_norm", unless: false)
        let positions = try reader.optionalCount("max_position_embeddings", limit: 1 << 30) ?? 2048
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        configuration = ModelConfiguration(
            reader, modelType: "llama", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary), count: shape.layers))
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: Float(try reader.number("rms_norm_eps", default: 1e-6, above: 0)), queryKeyValueBias: bias,
            outputBias: bias, mlpBias: try reader.flag("mlp_bias", default: false))
    }

    func decoder(_ bind: WeightBinder) throws -> Decoder { try model.decoder(bind) }
}
