/// Phi-3: Llama with fused projections, partly turned heads and LongRoPE. (Abdin et al. 2024.)
struct Phi3: LlamaDescendant {
    static let modelTypes = ["phi3"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape()
        let positions = try reader.positions(default: 4096)
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions, partial: 1)
        switch rotary.scaling {
        case .none, .longrope: break
        default: throw reader.unsupported("rope type \"\(rotary.name)\" in phi3")
        }
        let window = try reader.optionalCount("sliding_window", limit: 1 << 30)
        let configuration = ModelConfiguration(
            reader, modelType: "phi3", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: positions, tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary, window: window), count: shape.layers))
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps", default: 1e-5), isFused: true)
    }
}
