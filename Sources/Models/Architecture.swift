/// A decoder-only transformer that the runner can drive layer by layer.
///
/// To add an architecture: one file with a type that conforms, and its name in `Architectures.all`.
package protocol Architecture: Sendable {
    /// The `model_type`s of config.json that this type runs.
    static var modelTypes: [String] { get }

    init(configuration: ModelConfiguration, weights: any WeightSource) throws

    var configuration: ModelConfiguration { get }
    /// The embedding matrix [vocabulary, hidden].
    var embedding: Weight { get }
    /// The output matrix [vocabulary, hidden]; the embedding itself in a tied model.
    var unembedding: Weight { get }

    /// Runs one layer over the pass's pack, in place in its residual stream, visiting the layer's sites in order.
    ///
    /// - Parameter last: stop after this site if it lies in this layer.
    func runLayer(_ layer: Int, _ pass: Pass, until last: Site?) throws

    /// The norm before the output matrix. x, result: [rows, hidden]
    func finalNorm(_ x: UnsafePointer<Float>, rows: Int, into result: UnsafeMutablePointer<Float>)
}

package enum Architectures {
    package static let all: [any Architecture.Type] = [Llama.self]

    /// Every `model_type` that can be run.
    package static var modelTypes: [String] { all.flatMap { $0.modelTypes }.sorted() }

    /// Builds the model that the configuration names, binding and checking every tensor.
    package static func make(
        configuration: ModelConfiguration, weights: any WeightSource
    ) throws -> any Architecture {
        guard let type = all.first(where: { $0.modelTypes.contains(configuration.modelType) }) else {
            throw ModelError.unknownArchitecture(
                file: weights.label, name: configuration.modelType, known: modelTypes)
        }
        return try type.init(configuration: configuration, weights: weights)
    }
}
