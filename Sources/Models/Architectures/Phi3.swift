/// Phi-3: Llama with fused projections, partly turned heads and LongRoPE. (Abdin et al. 2024.)
struct Phi3: Architecture {
    static let modelTypes = ["phi3"]

    let configuration: ModelConfiguration
    private let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape()
        let positions = try reader.optionalCount("max_position_embeddings", limit: 1 << 30) ?? 4096
        var rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions, partial: 1)
        switch rotary.scaling {
        case .none: break
        case .longrope(let short, let long, let original):
            let stated = try reader.optionalCount("original_max_position_embeddings", limit: 1 << 30)
            rotary.scaling = .longrope(short: short, long: long, original: stated ?? original)
        default: throw reader.unsupported("rope type \"\(rotary.name)\" in phi3")
        }
        let window = try reader.optionalCount("sliding_window", limit: 1 << 30)
        configuration = ModelConfiguration(
            reader, modelType: "phi3", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: positions, tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu), without: .notInLlama,
            attention: Array(repeating: shape.attention(rotary, window: window), count: shape.layers))
        model = LlamaLike(
            configuration: configuration,
            epsilon: Float(try reader.number("rms_norm_eps", default: 1e-5, above: 0)), isFused: true)
    }

    func decoder(_ bind: WeightBinder) throws -> Decoder { try model.decoder(bind) }
}
