import Checkpoints
package import Models
package import Sites
import Tokenizers

/// The facts of a model's configuration that a user sees: its sizes, and the sites that it has.
package struct CheckpointFacts: Equatable {
    package let configuration: ModelConfiguration

    init(_ configuration: ModelConfiguration) { self.configuration = configuration }

    package var layers: Int { configuration.layers }
    /// The width of the residual stream.
    package var width: Int { configuration.hiddenSize }
    /// The number of query heads in a layer.
    package var heads: Int { configuration.heads }
    package var keyValueHeads: Int { configuration.keyValueHeads }
    /// The width of one attention head: the number of columns of its queries, keys and values.
    package var headWidth: Int { configuration.headDimension }
    /// The width of the MLP's hidden layer.
    package var hiddenWidth: Int { configuration.intermediateSize }
    package var vocabularySize: Int { configuration.vocabularySize }
    /// The largest number of tokens of a prompt that the model can be run on.
    package var maxPositions: Int { configuration.maxPositions }
    /// Whether the model's embedding matrix also serves as its unembedding, which gives the logits.
    package var hasTiedEmbeddings: Bool { configuration.tiedEmbeddings }
    /// Whether the model caps its logits (soft cap) before they are read.
    package var hasLogitCap: Bool { configuration.logitSoftCap != nil }
    /// Facts that only this model's architecture has, each with a name and a value in words.
    package var details: [(name: String, value: String)] { configuration.details.map { (name: $0.0, value: $0.1) } }
    package var siteKinds: Set<Site.Kind> { configuration.siteKinds }
    package var hasLearnedPositions: Bool { configuration.siteKinds.contains(.posEmbed) }

    /// Returns the number of attention heads into which a kind of site (a named place in the model) is divided; nil if
    /// into none.
    package func heads(of kind: Site.Kind) -> Int? { configuration.heads(of: kind) }

    /// Returns the width of the activations at a site (a named place in the model): the number of columns of one row.
    package func width(of site: Site) -> Int { configuration.width(of: site) }

    /// Returns the sites (named places in the model) that an expression such as `resid_post[*]` names, in the order of
    /// computation.
    ///
    /// - Throws: `SiteError.badSite`.
    package func sites(_ text: String) throws -> [Site] { try SiteExpression.parse(text, in: configuration) }

    /// Returns the sites (named places in the model), or single heads of them, that an expression such as
    /// `attn.z[3].h1` names, in the order of computation.
    ///
    /// - Throws: `SiteError.badSite`.
    package func selections(_ text: String) throws -> [SiteSelection] {
        try SiteExpression.selections(text, in: configuration)
    }

    /// Returns the sites that a list with commas names, each once, in the order of computation.
    ///
    /// - Throws: `SiteError`; `WorkbenchError.notRows` for sites that don't hold one row for each token.
    package func rowSites(_ text: String) throws -> [Site] {
        let named = try SiteExpression.list(text).flatMap { try sites($0) }
        if let bad = named.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw WorkbenchError.notRows(bad)
        }
        return Set(named).sorted()
    }
}

extension LoadedCheckpoint {
    /// Returns the facts of the checkpoint's model.
    ///
    /// - Throws: `CheckpointError` for a checkpoint without a configuration that nacre knows.
    package func facts() throws -> CheckpointFacts { CheckpointFacts(try configuration()) }
}

extension LoadedCheckpoint {
    /// Returns whether the checkpoint has a chat template that can be used.
    ///
    /// - Throws: The error for a file that changed since it was opened.
    package func canChat() throws -> Bool {
        do {
            _ = try chatTemplate()
            return true
        } catch  where ChangedFile(error) == nil {
            return false
        }
    }

    /// Returns whether the checkpoint has a chat template.
    ///
    /// - Throws: The reason why the checkpoint's template can't be read or used.
    package func hasChatTemplate() throws -> Bool {
        guard let chat = try file.chatJSON() else { return false }
        _ = try ChatTemplate(json: chat, label: label)
        return true
    }
}
