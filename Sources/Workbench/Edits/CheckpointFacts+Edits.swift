package import Models
package import Sites

extension CheckpointFacts {
    /// The sites at the input, the attention output and the MLP output of every layer, which together cover everything
    /// that writes into the residual stream.
    package var streamSites: [Site] {
        (0..<layers).flatMap { layer in
            [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
        }
    }

    /// Returns the sites at the inputs of all layers from a site's layer on (all if nil), and at the output of the last
    /// layer.
    package func inputSites(from site: Site?) -> [Site] {
        // The output of a layer is the input of the next one, so the edits begin there.
        let first = site.map { $0.kind == .residPost ? $0.layer + 1 : $0.layer } ?? 0
        return (min(first, layers)..<layers).map { Site(.residPre, layer: $0) }
            + [Site(.residPost, layer: layers - 1)]
    }

    private static let stream: Set<Site.Kind> = [
        .embed, .posEmbed, .residPre, .residMid, .residPost, .attnOut, .mlpOut,
    ]

    /// Checks that directions were found in the residual stream (or at an unknown site) and have its width.
    ///
    /// - Throws: `EditError.notOfStream`.
    package func checkIsOfStream(_ subspace: Subspace, _ name: String) throws {
        let isOfStream = subspace.site.map { Self.stream.contains($0.kind) } ?? true
        guard isOfStream, subspace.width == width else {
            throw EditError.notOfStream(
                name, place: subspace.site?.shortName ?? "a site of width \(subspace.width)")
        }
    }

    /// Returns the sites that a list separated by commas names, each once; all must be as wide as the directions.
    ///
    /// - Throws: `SiteError`, and `EditError` for a site that can't be edited, has another width, or lies outside the
    ///   residual stream although the directions belong to it.
    package func editSites(_ text: String, of subspace: Subspace) throws -> [Site] {
        let found = try Set(SiteExpression.list(text).flatMap { try sites($0) }).sorted()
        for site in found { try EditSites.checkCanBeEdited(site) }
        if let other = found.first(where: { width(of: $0) != subspace.width }) {
            throw EditError.siteOfOtherWidth(other, directions: subspace.width)
        }
        let isOfStream = subspace.site.map { Self.stream.contains($0.kind) } ?? true
        if isOfStream, let other = found.first(where: { !Self.stream.contains($0.kind) }) {
            throw EditError.siteOutsideStream(other)
        }
        return found
    }

    /// Checks that directions have the width of the site where they were found, or of the residual stream if that is
    /// unknown, and that the model has that site's layer.
    ///
    /// - Throws: `EditError.otherWidth`, `EditError.noSuchLayer`.
    package func check(_ subspace: Subspace, _ name: String) throws {
        guard subspace.width == width(of: subspace.site ?? Site(.residPre)) else {
            throw EditError.otherWidth(
                name, subspace.width, place: subspace.site?.shortName ?? "the model's residual stream",
                placeWidth: width(of: subspace.site ?? Site(.residPre)))
        }
        if let site = subspace.site, site.kind.isLayered, site.layer >= layers {
            throw EditError.noSuchLayer(name, layer: site.layer, layers: layers)
        }
    }

    /// Reads the token positions of an edit as a user writes them: `all`, `prompt`, `first`, `last`, a position such as
    /// `5`, or `from:5`.
    ///
    /// - Throws: `EditError` for other words, and for a position that no prompt of the model can have.
    package func editPositions(_ text: String) throws -> EditPositions {
        if text == "all" { return .all }
        if text == "prompt" { return .prompt }
        if text == "last" { return .last }
        if text == "first" { return .position(0) }
        func place(_ text: Substring) throws -> Int? {
            guard let number = Int(text), number >= 0 else { return nil }
            guard number < maxPositions else {
                throw EditError.noSuchPosition(number, positions: maxPositions)
            }
            return number
        }
        if let number = try place(text[...]) { return .position(number) }
        if text.hasPrefix("from:"), let number = try place(text.dropFirst(5)) { return .from(number) }
        throw EditError.badPositions(text)
    }
}
