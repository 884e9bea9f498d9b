import Checkpoints
package import LinearAlgebra
package import Models
package import Sites

/// Where edits of directions apply, and how that is said.
package enum EditSites {
    /// Every layer's input, attention output and MLP output: nothing that writes into the stream is left out.
    package static func everywhere(_ c: ModelConfiguration) -> [Site] {
        (0..<c.layers).flatMap { layer in
            [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
        }
    }

    /// The inputs of the layers from a site's on, and the last layer's output.
    package static func inputs(_ c: ModelConfiguration, from site: Site?) -> [Site] {
        // The output of a layer is the input of the next one.
        let first = site.map { $0.kind == .residPost ? $0.layer + 1 : $0.layer } ?? 0
        return (min(first, c.layers)..<c.layers).map { Site(.residPre, layer: $0) }
            + [Site(.residPost, layer: c.layers - 1)]
    }

    private static let stream: Set<Site.Kind> = [
        .embed, .posEmbed, .residPre, .residMid, .residPost, .attnOut, .mlpOut,
    ]

    /// - Throws: `EditError` if directions are not of the residual stream, where they would be taken out.
    package static func checkIsOfStream(_ subspace: Subspace, _ name: String, _ c: ModelConfiguration) throws {
        let isOfStream = subspace.site.map { stream.contains($0.kind) } ?? true
        guard isOfStream, subspace.width == c.hiddenSize else {
            throw EditError.notOfStream(
                name, place: subspace.site?.shortName ?? "a site of width \(subspace.width)")
        }
    }

    /// - Throws: `EditError` for a site that no edit reaches.
    package static func checkCanBeEdited(_ site: Site) throws {
        switch site.kind {
        case .attnScores, .pattern, .logits, .lnFinalNormalized: throw EditError.cantBeEdited(site)
        default: return
        }
    }

    /// The sites of an expression with commas between its parts, each as wide as directions.
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

    /// - Throws: `EditError` if directions are not as wide as the model's stream, or are from a layer that it lacks.
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

    /// `all`, `prompt`, `last`, `5`, `from:5`.
    ///
    /// - Throws: `EditError` also for a position that no prompt of the model can have.
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

    package static func suffix(_ positions: String) -> String {
        switch positions {
        case "all": ""
        case "prompt": ", the prompt's positions"
        case "last": ", the prompt's last position"
        default: positions.hasPrefix("from:") ? ", \(positions)" : ", position \(positions)"
        }
    }

    /// - Throws: `EditError` for 0, and for what f32 can't hold.
    package static func checkStrength(_ strength: Double) throws {
        guard Float(strength).isFinite, strength != 0 else {
            throw EditError.badStrength(strength)
        }
    }

    /// Words for positions, for completion.
    package static let positionWords = ["all", "prompt", "last", "first", "from:"]

    /// `resid_pre[0], resid_pre[1], ... (18 sites)`.
    package static func text(_ sites: [Site]) -> String {
        let kinds = sites.map(\.kind.shortName).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if sites.count <= 3 { return sites.map(\.shortName).joined(separator: ", ") }
        let layers = Set(sites.map(\.layer))
        let span = layers.min().map { "layers \($0) to \(layers.max() ?? $0)" } ?? ""
        return "\(sites.count) sites (\(kinds.joined(separator: ", ")) of \(span))"
    }

    package static func digest(_ values: [Float]) -> String { values.withUnsafeBytes { Digest.sha256($0) } }

    /// A digest that tells an edit from others: of its numbers, all its sites, and its positions.
    package static func digest(_ values: [Float], _ sites: [Site], _ positions: String) -> String {
        Digest.sha256("\(digest(values)) \(sites.map(\.fullName).joined(separator: " ")) \(positions)")
    }

    /// The rows that a capture holds of a site.
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
    /// Every layer's input, attention output and MLP output: nothing that writes into the stream is left out.
    package var streamSites: [Site] { EditSites.everywhere(configuration) }

    /// - Throws: `EditError` if directions are not as wide as the model's stream, or are from a layer that it lacks.
    package func check(_ subspace: Subspace, _ name: String) throws {
        try EditSites.check(subspace, name, configuration)
    }

    /// - Throws: `EditError` if directions are not of the residual stream.
    package func checkIsOfStream(_ subspace: Subspace, _ name: String) throws {
        try EditSites.checkIsOfStream(subspace, name, configuration)
    }

    /// `all`, `prompt`, `last`, `5`, `from:5`.
    ///
    /// - Throws: `EditError`.
    package func editPositions(_ text: String) throws -> EditPositions {
        try EditSites.positions(text, configuration)
    }
}
