/// Qwen3: Llama with a norm over each head of queries and keys before rotation. (Yang et al. 2025.)
struct Qwen3: LlamaDescendant {
    static let modelTypes = ["qwen3"]

    let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 32, headDimension: 128)
        let configuration = try reader.qwen("qwen3", shape)
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: try reader.epsilon("rms_norm_eps"), queryKeyValueBias: bias,
            outputBias: bias, headNorm: .perHead)
    }
}
