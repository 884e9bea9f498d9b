/// Qwen2 and 2.5: Llama with biases on queries, keys and values. (Yang et al. 2024.)
struct Qwen2: LlamaDescendant {
    static let modelTypes = ["qwen2"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 32)
        let configuration = try reader.qwen("qwen2", shape)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"), queryKeyValueBias: true)
    }
}

extension ConfigurationReader {
    /// What Qwen2 and Qwen3 read alike: from layer `max_window_layers` on attention slides, if `use_sliding_window`.
    func qwen(_ type: String, _ shape: ModelShape) throws -> ModelConfiguration {
        let positions = try positions(default: 32_768)
        let rotary = try rotary(head: shape.headDimension, maxPositions: positions)
        let usesWindow = try flag("use_sliding_window", default: false)
        let window =
            mentions("sliding_window") ? try optionalCount("sliding_window", limit: 1 << 30) : 4096
        let first = try number("max_window_layers", default: 28, above: -1)
        let isSliding = try slidingLayers(shape.layers) { usesWindow && window != nil && Double($0) >= first }
        guard usesWindow && window != nil || !isSliding.contains(true) else {
            throw problem("layer_types", "has sliding_attention, but there is no sliding_window")
        }
        return ModelConfiguration(
            self, modelType: type, shape: shape, intermediateSize: try count("intermediate_size"),
            maxPositions: rotary.reach(positions), tiedEmbeddings: try flag("tie_word_embeddings", default: false),
            activation: try activation("hidden_act", default: .silu), without: .notInLlama,
            attention: isSliding.map { shape.attention(rotary, window: $0 ? window : nil) })
    }
}
