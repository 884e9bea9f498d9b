/// Mistral: Llama whose attention slides over a window. (Jiang et al. 2023.)
struct Mistral: LlamaDescendant {
    static let modelTypes = ["mistral"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 8)
        guard !reader.has("layer_types") else {
            throw reader.unsupported("a mistral with layer_types (Ministral)")
        }
        let positions = try reader.positions(default: 131_072)
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        // A file that says nothing means 4,096; null means no window.
        let window =
            reader.mentions("sliding_window") ? try reader.optionalCount("sliding_window", limit: 1 << 30) : 4096
        let configuration = ModelConfiguration(
            reader, modelType: "mistral", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary, window: window), count: shape.layers))
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"))
    }
}
