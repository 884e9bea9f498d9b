import Checkpoints
package import LinearAlgebra
package import Sites

/// The sites and positions at which edits of directions apply, with the words that describe them. A "site" is a named
/// place in the model where activations are read or edited.
package enum EditSites {
    /// Checks that the activations at a site can be edited.
    ///
    /// - Throws: `EditError.cantBeEdited` for attention scores, patterns, logits and the final norm's output.
    package static func checkCanBeEdited(_ site: Site) throws {
        switch site.kind {
        case .attnScores, .pattern, .logits, .lnFinalNormalized: throw EditError.cantBeEdited(site)
        default: return
        }
    }

    /// Returns the words that name token positions at the end of an edit's summary, such as ", from:5"; empty for
    /// `all`.
    package static func suffix(_ positions: String) -> String {
        switch positions {
        case "all": ""
        case "prompt": ", the prompt's positions"
        case "last": ", the prompt's last position"
        default: positions.hasPrefix("from:") ? ", \(positions)" : ", position \(positions)"
        }
    }

    /// Checks that the strength of an edit, the factor of its directions, can be used.
    ///
    /// - Throws: `EditError` for 0, and for a number that is not finite in f32.
    package static func checkStrength(_ strength: Double) throws {
        guard Float(strength).isFinite, strength != 0 else {
            throw EditError.badStrength(strength)
        }
    }

    /// The words that the shell's completion offers for the token positions of an edit.
    package static let positionWords = ["all", "prompt", "last", "first", "from:"]

    /// Returns a description of sites for an edit's summary. Up to three are listed (`resid_pre[0], resid_pre[1]`), and
    /// more are counted (`18 sites (resid_pre, attn_out, mlp_out of layers 0 to 5)`).
    package static func text(_ sites: [Site]) -> String {
        let kinds = sites.map(\.kind.shortName).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if sites.count <= 3 { return sites.map(\.shortName).joined(separator: ", ") }
        let layers = Set(sites.map(\.layer))
        let span = layers.min().map { "layers \($0) to \(layers.max() ?? $0)" } ?? ""
        return "\(sites.count) sites (\(kinds.joined(separator: ", ")) of \(span))"
    }

    package static func digest(_ values: [Float]) -> String { values.withUnsafeBytes { Digest.sha256($0) } }

    /// Returns a digest (SHA-256) that distinguishes an edit from others, over its numbers, its sites and its token
    /// positions.
    package static func digest(_ values: [Float], _ sites: [Site], _ positions: String) -> String {
        Digest.sha256("\(digest(values)) \(sites.map(\.fullName).joined(separator: " ")) \(positions)")
    }

    /// Returns the activations that a capture (a table of activations) holds for a site, [rows, width], for use in an
    /// edit.
    ///
    /// - Throws: `EditError` if the capture lacks the site or a row is not finite, and the errors of reading the
    ///   capture.
    package static func rows(_ name: String, _ capture: Capture, site: String) throws -> Matrix {
        guard capture.sites.contains(site) else {
            throw EditError.siteNotHeld(capture: name, site: site)
        }
        let matrix = try capture.matrix(site)
        if let bad = matrix.firstNonFinite {
            throw EditError.notFiniteRow(capture: name, row: bad.row, site: site)
        }
        return matrix
    }
}
