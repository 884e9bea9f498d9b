/// Mistral: Llama whose attention slides over a window. (Jiang et al. 2023.)
struct Mistral: Architecture {
    static let modelTypes = ["mistral"]

    let configuration: ModelConfiguration
    private let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 8)
        guard !reader.has("layer_types") else {
            throw reader.unsupported("a mistral with layer_types (Ministral)")
        }
        let positions = try reader.optionalCount("max_position_embeddings", limit: 1 << 30) ?? 131_072
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        // A file that says nothing means 4,096; null means no window.
        let window =
            reader.mentions("sliding_window") ? try reader.optionalCount("sliding_window", limit: 1 << 30) : 4096
        configuration = ModelConfiguration(
            reader, modelType: "mistral", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary, window: window), count: shape.layers))
        model = LlamaLike(
            configuration: configuration,
            epsilon: Float(try reader.number("rms_norm_eps", default: 1e-6, above: 0)))
    }

    func decoder(_ bind: WeightBinder) throws -> Decoder { try model.decoder(bind) }
}
