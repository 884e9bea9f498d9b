import LinearAlgebra
import Sites

/// A decoder-only transformer that the runner can drive layer by layer, made of the parts that its architecture names.
package final class Decoder: Sendable {
    package let configuration: ModelConfiguration
    /// [vocabulary, hidden]
    package let embedding: Weight
    /// Factor of the embeddings as they enter the residual stream.
    let embeddingScale: Float?
    /// [positions, hidden], learned; nil if positions enter by rotation only.
    let positionEmbedding: Weight?
    /// [vocabulary, hidden]; the embedding itself in a tied model.
    package let unembedding: Weight
    /// The name that the output matrix has where it is a tensor of its own.
    package let unembeddingName: String
    /// What stands before the names of all tensors but the output matrix, unless a bare model was saved: `model.`.
    package let bodyPrefix: String
    let layers: [DecoderLayer]
    let norm: Norm

    init(
        _ configuration: ModelConfiguration, embedding: Weight, embeddingScale: Float? = nil,
        positionEmbedding: Weight? = nil, unembedding: Weight, unembeddingName: String = "lm_head.weight",
        bodyPrefix: String, norm: Norm, layers: [DecoderLayer]
    ) {
        self.configuration = configuration
        self.embedding = embedding
        self.embeddingScale = embeddingScale
        self.positionEmbedding = positionEmbedding
        self.unembedding = unembedding
        self.unembeddingName = unembeddingName
        self.bodyPrefix = bodyPrefix
        self.norm = norm
        self.layers = layers
    }

    /// Runs one layer over the pass's pack, in place in its residual stream, visiting the layer's sites in order.
    ///
    /// - Parameter last: stop after this site if it lies in this layer.
    func runLayer(_ index: Int, _ pass: Pass, until last: Site?) throws {
        try layers[index].run(LayerRun(pass, configuration, layer: index, until: last))
    }

    /// The norm before the output matrix. x, result: [rows, hidden]
    func finalNorm(_ x: UnsafePointer<Float>, rows: Int, into result: UnsafeMutablePointer<Float>) {
        for row in 0..<rows { norm.apply(x + row * norm.width, into: result + row * norm.width) }
    }
}

/// One pass through one layer: where it stands and where it ends.
struct LayerRun {
    let pass: Pass
    let configuration: ModelConfiguration
    let layer: Int
    private let last: Site?

    init(_ pass: Pass, _ configuration: ModelConfiguration, layer: Int, until last: Site?) {
        self.pass = pass
        self.configuration = configuration
        self.layer = layer
        self.last = last
    }

    func site(_ kind: Site.Kind) -> Site { Site(kind, layer: layer) }

    /// Whether nothing after this kind of site is wanted.
    func ends(_ kind: Site.Kind) -> Bool { last.map { $0 <= site(kind) } ?? false }

    func isWatched(_ kind: Site.Kind) -> Bool { pass.isWatched(site(kind)) }

    /// Shows a site's rows to edits and taps.
    func visit(_ kind: Site.Kind, _ values: UnsafeMutablePointer<Float>, width: Int) throws {
        try pass.visit(site(kind), values, width: width)
    }

    func buffer(_ slot: Workspace.Slot, width: Int) -> UnsafeMutablePointer<Float> {
        pass.workspace.buffer(slot, pass.rows * width)
    }
}
