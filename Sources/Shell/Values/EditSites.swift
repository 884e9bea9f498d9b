import Checkpoints
import Directions
import Language
import LinearAlgebra
import Models
import Sites
import TerminalText
import Workbench

/// Where edits of directions apply, and what they are told.
enum EditSites {
    /// Every layer's input, attention output and MLP output: nothing that writes into the stream is left out.
    static func everywhere(_ c: ModelConfiguration) -> [Site] {
        (0..<c.layers).flatMap { layer in
            [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
        }
    }

    /// The inputs of the layers from a site's on, and the last layer's output.
    static func inputs(_ c: ModelConfiguration, from site: Site?) -> [Site] {
        // The output of a layer is the input of the next one.
        let first = site.map { $0.kind == .residPost ? $0.layer + 1 : $0.layer } ?? 0
        return (min(first, c.layers)..<c.layers).map { Site(.residPre, layer: $0) }
            + [Site(.residPost, layer: c.layers - 1)]
    }

    private static let stream: Set<Site.Kind> = [
        .embed, .posEmbed, .residPre, .residMid, .residPost, .attnOut, .mlpOut,
    ]

    /// - Throws: `CommandError` if directions are not of the residual stream, where they would be taken out.
    static func checkIsOfStream(_ subspace: Subspace, _ name: String, _ c: ModelConfiguration) throws {
        let isOfStream = subspace.site.map { stream.contains($0.kind) } ?? true
        guard isOfStream, subspace.width == c.hiddenSize else {
            throw CommandError(
                "\(name.escapedForTerminal) is from \(subspace.site?.shortName ?? "a site of width \(subspace.width)"),"
                    + " which is no part of the residual stream",
                remedy:
                    "say where it is to be taken out: ablate \(name.escapedForTerminal) --sites SITE; or find one at resid_pre",
                exitCode: 2)
        }
    }

    /// - Throws: `CommandError` for a site that no edit reaches.
    static func checkCanBeEdited(_ site: Site) throws {
        let remedy: String
        switch site.kind {
        case .attnScores, .pattern: remedy = "edit attn.z for a head's output"
        case .logits, .lnFinalNormalized: remedy = "edit resid_post of the last layer"
        default: return
        }
        throw CommandError("\(site.shortName) can't be edited", remedy: remedy, exitCode: 2)
    }

    /// The sites of an expression with commas between its parts, each as wide as directions.
    static func parse(_ text: String, _ c: ModelConfiguration, of subspace: Subspace) throws -> [Site] {
        let width = subspace.width
        let found = try Set(SiteExpression.list(text).flatMap { try SiteExpression.parse($0, in: c) }).sorted()
        for site in found { try checkCanBeEdited(site) }
        if let other = found.first(where: { c.width(of: $0) != width }) {
            throw CommandError(
                "\(other.shortName) is not \(width) wide, as the directions are",
                remedy: "name sites of the residual stream, attn_out or mlp_out", exitCode: 2)
        }
        let isOfStream = subspace.site.map { stream.contains($0.kind) } ?? true
        if isOfStream, let other = found.first(where: { !stream.contains($0.kind) }) {
            throw CommandError(
                "\(other.shortName) is no part of the residual stream, where the directions are from",
                remedy: "name resid_pre, resid_mid, resid_post, attn_out, mlp_out or embed", exitCode: 2)
        }
        return found
    }

    /// - Throws: `CommandError` if directions are not as wide as the model's stream, or are from a layer that it lacks.
    static func check(_ subspace: Subspace, _ name: String, _ c: ModelConfiguration) throws {
        guard subspace.width == c.width(of: subspace.site ?? Site(.residPre)) else {
            throw CommandError(
                "\(name.escapedForTerminal) has width \(subspace.width), and"
                    + " \(subspace.site?.shortName ?? "the model's residual stream") has"
                    + " \(c.width(of: subspace.site ?? Site(.residPre)))",
                remedy: "find a direction of this checkpoint", exitCode: 2)
        }
        if let site = subspace.site, site.kind.isLayered, site.layer >= c.layers {
            throw CommandError(
                "\(name.escapedForTerminal) is from layer \(site.layer), and the model has layers 0 to \(c.layers - 1)",
                remedy: "find a direction of this checkpoint", exitCode: 2)
        }
    }

    /// `all`, `prompt`, `last`, `5`, `from:5`.
    ///
    /// - Throws: `CommandError` also for a position that no prompt of the model can have.
    static func positions(_ text: String, _ c: ModelConfiguration) throws -> EditPositions {
        if text == "all" { return .all }
        if text == "prompt" { return .prompt }
        if text == "last" { return .last }
        if text == "first" { return .position(0) }
        func place(_ text: Substring) throws -> Int? {
            guard let number = Int(text), number >= 0 else { return nil }
            guard number < c.maxPositions else {
                throw CommandError(
                    "the model has positions 0 to \(c.maxPositions - 1), and no \(number)", remedy: "give one of them",
                    exitCode: 2)
            }
            return number
        }
        if let number = try place(text[...]) { return .position(number) }
        if text.hasPrefix("from:"), let number = try place(text.dropFirst(5)) { return .from(number) }
        throw CommandError(
            "--positions can't be \(text.escapedForTerminal)",
            remedy: "give all, prompt, last, first, a position counted from 0, or from:N",
            exitCode: 2)
    }

    static func suffix(_ positions: String) -> String {
        switch positions {
        case "all": ""
        case "prompt": ", the prompt's positions"
        case "last": ", the prompt's last position"
        default: positions.hasPrefix("from:") ? ", \(positions)" : ", position \(positions)"
        }
    }

    /// - Throws: `CommandError` for 0, and for what f32 can't hold.
    static func checkStrength(_ strength: Double) throws {
        guard Float(strength).isFinite, strength != 0 else {
            throw CommandError("--strength can't be \(strength)", remedy: "give a number other than 0", exitCode: 2)
        }
    }

    /// What TAB offers of it.
    static let positionWords = ["all", "prompt", "last", "first", "from:"]

    /// `resid_pre[0], resid_pre[1], ... (18 sites)`.
    static func text(_ sites: [Site]) -> String {
        let kinds = sites.map(\.kind.shortName).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if sites.count <= 3 { return sites.map(\.shortName).joined(separator: ", ") }
        let layers = Set(sites.map(\.layer))
        let span = layers.min().map { "layers \($0) to \(layers.max() ?? $0)" } ?? ""
        return "\(sites.count) sites (\(kinds.joined(separator: ", ")) of \(span))"
    }

    static func digest(_ values: [Float]) -> String { values.withUnsafeBytes { Digest.sha256($0) } }

    /// What tells an edit from others: its numbers, all its sites, its positions.
    static func digest(_ values: [Float], _ sites: [Site], _ positions: String) -> String {
        Digest.sha256("\(digest(values)) \(sites.map(\.fullName).joined(separator: " ")) \(positions)")
    }

    /// What a capture has of a site.
    static func rows(_ name: String, site: String, _ session: Session) throws -> Matrix {
        let capture = try session.capture(named: name)
        guard capture.sites.contains(site) else {
            throw CommandError(
                "\(name.escapedForTerminal) does not hold \(site)",
                remedy: "capture it: \(name.escapedForTerminal) = capture \(site) --prompts P", exitCode: 2)
        }
        let matrix = try capture.matrix(site)
        if let bad = matrix.firstNonFinite {
            throw CommandError(
                "\(name.escapedForTerminal): row \(bad.row) of \(site) is not finite", remedy: "capture fewer prompts")
        }
        return matrix
    }
}
