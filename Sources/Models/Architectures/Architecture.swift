package import LinearAlgebra
package import JSON
import Tokenizers

/// A family of decoder-only transformers: what its config.json means and where its tensors are.
///
/// To add an architecture: one file with a type that conforms, and its name in `Architectures.all`.
package protocol Architecture: Sendable {
    /// The `model_type`s of config.json that this type runs.
    static var modelTypes: [String] { get }

    /// Reads a config.json.
    ///
    /// - Throws: `ModelError` naming the key, what it holds and what was expected.
    init(_ reader: ConfigurationReader) throws

    var configuration: ModelConfiguration { get }

    /// The settings that change what the model computes and that `configuration` does not hold, such as the epsilon of
    /// norms.
    var ownSettings: [ModelSetting] { get }

    /// The keys of this architecture's config.json that most architectures name otherwise, by the usual key.
    static var settingNames: [String: String] { get }

    /// The names of the embedding and of the output matrix.
    static var endNames: EndNames { get }

    /// Binds and checks every tensor.
    func decoder(_ bind: WeightBinder) throws -> Decoder
}

package enum Architectures {
    package static let all: [any Architecture.Type] = [
        Gemma2.self, Gemma3.self, GPT2.self, GPTNeoX.self, Llama.self, Mistral.self, Olmo2.self, Phi3.self,
        Qwen2.self, Qwen3.self,
    ]

    /// Every `model_type` that can be run.
    package static var modelTypes: [String] { all.flatMap { $0.modelTypes }.sorted() }

    /// Reads a config.json by the names of the architecture that it names.
    package static func read(
        _ json: JSONValue, generation: JSONValue? = nil, file: String
    ) throws -> any Architecture {
        let reader = ConfigurationReader(json, generation: generation, file: file)
        let name = try reader.string("model_type")
        guard let type = all.first(where: { $0.modelTypes.contains(name) }) else {
            throw ModelError.unknownArchitecture(file: file, name: name, known: modelTypes)
        }
        return try type.init(reader)
    }

    /// Builds the model that a config.json describes, binding and checking every tensor.
    package static func decoder(_ json: JSONValue, weights: any WeightSource) throws -> Decoder {
        try read(json, file: weights.label).decoder(WeightBinder(weights))
    }
}
