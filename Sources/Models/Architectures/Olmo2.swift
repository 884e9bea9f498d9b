import Sites

/// OLMo 2: norms after each part instead of before, and over the whole width of queries and keys. (OLMo Team 2024.)
struct Olmo2: LlamaDescendant {
    static let modelTypes = ["olmo2"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape()
        let positions = try reader.positions(default: 2048)
        let rotary = try reader.rotary(head: shape.headDimension, maxPositions: positions)
        let configuration = ModelConfiguration(
            reader, modelType: "olmo2", shape: shape, intermediateSize: try reader.count("intermediate_size"),
            maxPositions: rotary.reach(positions),
            tiedEmbeddings: try reader.flag("tie_word_embeddings", default: false),
            activation: try reader.activation("hidden_act", default: .silu),
            without: Set.notInLlama.union([.ln1Normalized, .ln2Normalized]),
            attention: Array(repeating: shape.attention(rotary), count: shape.layers))
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps", default: 1e-5), queryKeyValueBias: bias,
            outputBias: bias, headNorm: .wholeWidth, normPlacement: .after)
    }
}
