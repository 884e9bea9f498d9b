/// A named place in the computation where activations can be read or edited. The names are TransformerLens's.
package struct Site: Hashable, Sendable, Comparable {
    /// The quantity that is computed at a site, in the order in which a layer computes them.
    package enum Kind: Int, CaseIterable, Sendable {
        case embed, posEmbed
        case residPre, ln1Normalized, q, k, v, rotQ, rotK, attnScores, pattern, z, attnOut, residMid
        case ln2Normalized, mlpPre, mlpPreLinear, mlpPost, mlpOut, residPost
        case lnFinalNormalized, logits

        /// Whether there is one in every layer.
        package var isLayered: Bool {
            switch self {
            case .embed, .posEmbed, .lnFinalNormalized, .logits: false
            default: true
            }
        }

        /// Whether the site holds [head, query, key] for each prompt instead of one row for each token.
        package var isPattern: Bool { self == .attnScores || self == .pattern }

        /// TransformerLens's name, without `blocks.L.`.
        package var fullName: String {
            switch self {
            case .embed: "hook_embed"
            case .posEmbed: "hook_pos_embed"
            case .residPre: "hook_resid_pre"
            case .ln1Normalized: "ln1.hook_normalized"
            case .q: "attn.hook_q"
            case .k: "attn.hook_k"
            case .v: "attn.hook_v"
            case .rotQ: "attn.hook_rot_q"
            case .rotK: "attn.hook_rot_k"
            case .attnScores: "attn.hook_attn_scores"
            case .pattern: "attn.hook_pattern"
            case .z: "attn.hook_z"
            case .attnOut: "hook_attn_out"
            case .residMid: "hook_resid_mid"
            case .ln2Normalized: "ln2.hook_normalized"
            case .mlpPre: "mlp.hook_pre"
            case .mlpPreLinear: "mlp.hook_pre_linear"
            case .mlpPost: "mlp.hook_post"
            case .mlpOut: "hook_mlp_out"
            case .residPost: "hook_resid_post"
            case .lnFinalNormalized: "ln_final.hook_normalized"
            case .logits: "logits"
            }
        }

        /// The short name without the layer, as it is typed at the prompt: `resid_post`, `attn.z`.
        package var shortName: String {
            switch self {
            case .lnFinalNormalized: "ln_final"
            case .ln1Normalized: "ln1"
            case .ln2Normalized: "ln2"
            default: fullName.split(separator: "hook_", omittingEmptySubsequences: true).joined()
            }
        }

        /// The description that `help sites` prints.
        package var summary: String {
            switch self {
            case .embed: "token embeddings as they enter the residual stream, scaled where the model scales them"
            case .posEmbed: "learned position embeddings, added to the token embeddings (gpt2 only)"
            case .residPre: "residual stream at the layer's input (Hugging Face hidden_states[L])"
            case .ln1Normalized: "output of the norm before attention, weight included (not in olmo2)"
            case .q: "queries before any head norm and rotary embedding, heads side by side"
            case .k: "keys before any head norm and rotary embedding, key-value heads side by side"
            case .v: "values, key-value heads side by side"
            case .rotQ: "queries after head norm and rotary embedding (not in gpt2)"
            case .rotK: "keys after head norm and rotary embedding (not in gpt2)"
            case .attnScores: "attention scores of every head after scale, soft cap and mask, before softmax"
            case .pattern: "attention pattern of every head: softmax of the scores over the keys"
            case .z: "attention-weighted values of every head, before the output projection"
            case .attnOut:
                "what attention adds to the residual stream, after its norm where there is one (gemma, olmo2)"
            case .residMid: "residual stream between attention and MLP (not where the two run side by side: gpt_neox)"
            case .ln2Normalized: "output of the norm before the MLP, weight included (not in olmo2)"
            case .mlpPre: "gate projection (the only one in gpt2 and gpt_neox) before the activation function"
            case .mlpPreLinear: "up projection of a gated MLP"
            case .mlpPost: "hidden layer of the MLP: activation(gate) times up, or activation(up) without a gate"
            case .mlpOut: "what the MLP adds to the residual stream, after its norm where there is one"
            case .residPost: "residual stream at the layer's output (Hugging Face hidden_states[L+1])"
            case .lnFinalNormalized: "output of the final norm, weight included"
            case .logits: "logits over the vocabulary"
            }
        }
    }

    package let kind: Kind
    /// The layer, from 0; 0 for sites that have none.
    package let layer: Int

    package init(_ kind: Kind, layer: Int = 0) {
        self.kind = kind
        self.layer = kind.isLayered ? layer : 0
    }

    /// The full name, such as `blocks.3.hook_resid_post` or `ln_final.hook_normalized`.
    package var fullName: String { kind.isLayered ? "blocks.\(layer).\(kind.fullName)" : kind.fullName }

    /// The short name, such as `resid_post[3]` or `ln_final`.
    package var shortName: String { kind.isLayered ? "\(kind.shortName)[\(layer)]" : kind.shortName }

    /// Finds the site with a full name, whatever the number of layers; nil if there is none.
    package init?(fullName: String) {
        if let kind = Kind.allCases.first(where: { !$0.isLayered && $0.fullName == fullName }) {
            self.init(kind)
            return
        }
        let parts = fullName.split(separator: ".", maxSplits: 2)
        guard parts.count == 3, parts[0] == "blocks", let layer = Int(parts[1]), layer >= 0,
            let kind = Kind.allCases.first(where: { $0.isLayered && $0.fullName == parts[2] })
        else { return nil }
        self.init(kind, layer: layer)
    }

    /// Sites are in the order of computation.
    package static func < (a: Site, b: Site) -> Bool { a.order < b.order }

    private var order: (Int, Int, Int) {
        switch kind {
        case .embed, .posEmbed: (0, 0, kind.rawValue)
        case .lnFinalNormalized: (2, 0, 0)
        case .logits: (3, 0, 0)
        default: (1, layer, kind.rawValue)
        }
    }

    /// Returns every site that a model with `layers` layers can have, in the order of computation; an architecture may
    /// lack some kinds.
    package static func all(layers: Int) -> [Site] {
        var result = [Site(.embed), Site(.posEmbed)]
        for layer in 0..<layers {
            result += Kind.allCases.filter(\.isLayered).map { Site($0, layer: layer) }
        }
        return result + [Site(.lnFinalNormalized), Site(.logits)]
    }
}
