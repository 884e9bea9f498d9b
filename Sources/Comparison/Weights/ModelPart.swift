/// The place of a tensor in a model, by its name: the layer and the kind of part.
package struct ModelPart: Sendable, Comparable {
    package enum Kind: String, Sendable, CaseIterable {
        case embed, attn, mlp, norm, head, other
    }

    package let name: String
    package let kind: Kind
    /// The layer that the tensor belongs to, from 0; nil for a tensor outside the layers, such as an embedding.
    package let layer: Int?

    /// Finds the layer and the kind of part in a tensor's name from Hugging Face's state dicts, such as
    /// `model.layers.3.mlp.up_proj.weight` or `h.3.attn.c_attn.weight`.
    package init(_ name: String) {
        self.name = name
        let parts = name.split(separator: ".")
        let index = parts.indices.first { $0 > 0 && Self.stacks.contains(parts[$0 - 1]) && Int(parts[$0]) != nil }
        layer = index.flatMap { Int(parts[$0]) }
        let words = index.map { parts[($0 + 1)...] } ?? parts[...]
        func has(_ endings: String...) -> Bool { words.contains { word in endings.contains { word.contains($0) } } }
        let found: [(Kind, Bool)] = [
            (.norm, has("norm", "ln_")), (.attn, has("attn", "attention")), (.mlp, has("mlp", "feed_forward")),
            (.head, has("lm_head", "embed_out")), (.embed, has("embed", "wte", "wpe")),
        ]
        kind = found.first(where: \.1)?.0 ?? .other
    }

    /// The words that stand before a layer's number in tensors' names.
    private static let stacks: Set<Substring> = ["layers", "h", "blocks", "layer"]

    /// Returns a tensor's name without the prefix `model.` or `transformer.` that all names of a model's body share.
    static func withoutPrefix(_ name: String) -> String {
        let prefix = ["model.", "transformer."].first(where: name.hasPrefix) ?? ""
        return String(name.dropFirst(prefix.count))
    }

    /// The tensor's place in the model's order for sorting: embeddings, layer after layer, final norm, output matrix.
    private var place: (Int, Int) {
        if let layer { return (1, layer) }
        return switch kind {
        case .embed: (0, 0)
        case .head: (3, 0)
        default: (2, 0)
        }
    }

    package static func < (one: ModelPart, other: ModelPart) -> Bool {
        (one.place.0, one.place.1, one.name) < (other.place.0, other.place.1, other.name)
    }
}
