/// Qwen3: Llama with a norm over each head of queries and keys before rotation. (Yang et al. 2025.)
struct Qwen3: Architecture {
    static let modelTypes = ["qwen3"]

    let configuration: ModelConfiguration
    private let model: LlamaLike

    init(_ reader: ConfigurationReader) throws {
        let shape = try reader.shape(keyValueHeads: 32, headDimension: 128)
        configuration = try reader.qwen("qwen3", shape)
        let bias = try reader.flag("attention_bias", default: false)
        model = LlamaLike(
            configuration: configuration,
            epsilon: Float(try reader.number("rms_norm_eps", default: 1e-6, above: 0)), queryKeyValueBias: bias,
            outputBias: bias, headNorm: .perHead)
    }

    func decoder(_ bind: WeightBinder) throws -> Decoder { try model.decoder(bind) }
}
