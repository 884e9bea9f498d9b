package import JSON
package import Sites
import Tokenizers

/// What one layer's attention computes besides its products.
package struct AttentionConfiguration: Sendable, Equatable {
    /// Factor of q'k.
    package var scale: Float
    /// Scores become cap · tanh(score / cap). (Gemma 2 report, section 2.)
    package var softCap: Float?
    /// Keys that a query sees, itself included; nil: all before it. (Beltagy et al. 2020.)
    package var window: Int?
    /// nil: no rotary embedding.
    package var rotary: RotaryConfiguration?
}

/// What config.json says of a decoder-only transformer, whatever names its architecture uses for it.
package struct ModelConfiguration: Sendable, Equatable {
    package let modelType: String
    package let hiddenSize: Int
    package let layers: Int
    package let heads: Int
    package let keyValueHeads: Int
    package let headDimension: Int
    package let intermediateSize: Int
    package let vocabularySize: Int
    /// The longest prompt.
    package let maxPositions: Int
    package let tiedEmbeddings: Bool
    package let activation: Activation
    /// Kinds of site that exist in this model.
    package let siteKinds: Set<Site.Kind>
    /// [layers]
    package let attention: [AttentionConfiguration]
    /// Logits become cap · tanh(logit / cap).
    package let logitSoftCap: Float?
    package let bosToken: Int32?
    /// Any of these ends a generation.
    package let eosTokens: [Int32]
    /// The file that `eosTokens` are from.
    package let eosFile: ConfigurationFile

    /// Query heads that share one key-value head.
    package var group: Int { heads / keyValueHeads }

    /// Every site of the model, in the order of computation.
    package var sites: [Site] { Site.all(layers: layers).filter { siteKinds.contains($0.kind) } }

    /// Reads a config.json by the names of its architecture.
    ///
    /// - Throws: `ModelError` naming the key, what it holds and what was expected; also for an option that would change
    ///   the numbers and is not implemented, and for an unknown architecture.
    package init(_ json: JSONValue, file: String) throws {
        self = try Architectures.read(json, file: file).configuration
    }

    init(
        _ reader: ConfigurationReader, modelType: String, shape: ModelShape, intermediateSize: Int, maxPositions: Int,
        tiedEmbeddings: Bool, activation: Activation, without missing: Set<Site.Kind>,
        attention: [AttentionConfiguration], logitSoftCap: Float? = nil
    ) {
        self.modelType = modelType
        hiddenSize = shape.hiddenSize
        layers = shape.layers
        heads = shape.heads
        keyValueHeads = shape.keyValueHeads
        headDimension = shape.headDimension
        vocabularySize = shape.vocabularySize
        self.intermediateSize = intermediateSize
        self.maxPositions = maxPositions
        self.tiedEmbeddings = tiedEmbeddings
        self.activation = activation
        siteKinds = Set(Site.Kind.allCases).subtracting(missing)
        self.attention = attention
        self.logitSoftCap = logitSoftCap
        bosToken = reader.bosToken
        eosTokens = reader.eosTokens
        eosFile = reader.eosFile
    }
}
