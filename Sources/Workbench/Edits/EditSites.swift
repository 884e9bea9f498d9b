import Checkpoints
package import LinearAlgebra
package import Models
package import Sites

/// The sites and positions at which edits of directions apply, with the words that describe them. A "site" is a named
/// place in the model where activations are read or edited.
package enum EditSites {
    /// Returns the sites at the input, the attention output and the MLP output of every layer. Together they cover
    /// everything that writes into the residual stream.
    package static func everywhere(_ c: ModelConfiguration) -> [Site] {
        (0..<c.layers).flatMap { layer in
            [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
        }
    }

    /// Returns the sites at the inputs of all layers from a site's layer on (all if nil), and at the output of the last
    /// layer.
    package static func inputs(_ c: ModelConfiguration, from site: Site?) -> [Site] {
        // The output of a layer is the input of the next one, so the edits begin there.
        let first = site.map { $0.kind == .residPost ? $0.layer + 1 : $0.layer } ?? 0
        return (min(first, c.layers)..<c.layers).map { Site(.residPre, layer: $0) }
            + [Site(.residPost, layer: c.layers - 1)]
    }

    private static let stream: Set<Site.Kind> = [
        .embed, .posEmbed, .residPre, .residMid, .residPost, .attnOut, .mlpOut,
    ]

    /// Checks that directions were found in the residual stream (or at an unknown site) and have its width.
    ///
    /// - Throws: `EditError.notOfStream`.
    package static func checkIsOfStream(_ subspace: Subspace, _ name: String, _ c: ModelConfiguration) throws {
        let isOfStream = subspace.site.map { stream.contains($0.kind) } ?? true
        guard isOfStream, subspace.width == c.hiddenSize else {
            throw EditError.notOfStream(
                name, place: subspace.site?.shortName ?? "a site of width \(subspace.width)")
        }
    }

    /// Checks that the activations at a site can be edited.
    ///
    /// - Throws: `EditError.cantBeEdited` for attention scores, patterns, logits and the final norm's output.
    package static func checkCanBeEdited(_ site: Site) throws {
        switch site.kind {
        case .attnScores, .pattern, .logits, .lnFinalNormalized: throw EditError.cantBeEdited(site)
        default: return
        }
    }

    /// Returns the sites that a list separated by commas names, each once; all must be as wide as the directions.
    ///
    /// - Throws: `SiteError`, and `EditError` for a site that can't be edited, has another width, or lies outside the
    ///   residual stream although the directions belong to it.
    package static func parse(_ text: String, _ c: ModelConfiguration, of subspace: Subspace) throws -> [Site] {
        let width = subspace.width
        let found = try Set(SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: c) }).sorted()
        for site in found { try checkCanBeEdited(site) }
        if let other = found.first(where: { c.width(of: $0) != width }) {
            throw EditError.siteOfOtherWidth(other, directions: width)
        }
        let isOfStream = subspace.site.map { stream.contains($0.kind) } ?? true
        if isOfStream, let other = found.first(where: { !stream.contains($0.kind) }) {
            throw EditError.siteOutsideStream(other)
        }
        return found
    }

    /// Checks that directions have the width of the site where they were found, or of the residual stream if that is
    /// unknown, and that the model has that site's layer.
    ///
    /// - Throws: `EditError.otherWidth`, `EditError.noSuchLayer`.
    package static func check(_ subspace: Subspace, _ name: String, _ c: ModelConfiguration) throws {
        guard subspace.width == c.width(of: subspace.site ?? Site(.residPre)) else {
            throw EditError.otherWidth(
                name, subspace.width, place: subspace.site?.shortName ?? "the model's residual stream",
                placeWidth: c.width(of: subspace.site ?? Site(.residPre)))
        }
        if let site = subspace.site, site.kind.isLayered, site.layer >= c.layers {
            throw EditError.noSuchLayer(name, layer: site.layer, layers: c.layers)
        }
    }

    /// Reads the token positions of an edit as a user writes them: `all`, `prompt`, `first`, `last`, a position such as
    /// `5`, or `from:5`.
    ///
    /// - Throws: `EditError` for other words, and for a position that no prompt of the model can have.
    package static func positions(_ text: String, _ c: ModelConfiguration) throws -> EditPositions {
        if text == "all" { return .all }
        if text == "prompt" { return .prompt }
        if text == "last" { return .last }
        if text == "first" { return .position(0) }
        func place(_ text: Substring) throws -> Int? {
            guard let number = Int(text), number >= 0 else { return nil }
            guard number < c.maxPositions else {
                throw EditError.noSuchPosition(number, positions: c.maxPositions)
            }
            return number
        }
        if let number = try place(text[...]) { return .position(number) }
        if text.hasPrefix("from:"), let number = try place(text.dropFirst(5)) { return .from(number) }
        throw EditError.badPositions(text)
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

extension CheckpointFacts {
    /// The sites at the input, the attention output and the MLP output of every layer, which together cover everything
    /// that writes into the residual stream.
    package var streamSites: [Site] { EditSites.everywhere(configuration) }

    /// Checks that directions are as wide as the model's activations at the site where they were found (or as the
    /// residual stream if that is unknown), and that the model has that site's layer.
    ///
    /// - Throws: `EditError.otherWidth`, `EditError.noSuchLayer`.
    package func check(_ subspace: Subspace, _ name: String) throws {
        try EditSites.check(subspace, name, configuration)
    }

    /// Checks that directions were found in the residual stream (or at an unknown site) and have the model's width.
    ///
    /// - Throws: `EditError.notOfStream`.
    package func checkIsOfStream(_ subspace: Subspace, _ name: String) throws {
        try EditSites.checkIsOfStream(subspace, name, configuration)
    }

    /// Reads the token positions of an edit as a user writes them: `all`, `prompt`, `first`, `last`, a position such as
    /// `5`, or `from:5`.
    ///
    /// - Throws: `EditError` for other words, and for a position that no prompt of the model can have.
    package func editPositions(_ text: String) throws -> EditPositions {
        try EditSites.positions(text, configuration)
    }
}
