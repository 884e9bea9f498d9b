import LinearAlgebra
import Models
import Sites
import TerminalText

/// A steering as the user requests it: a direction that is added to the residual stream.
package struct SteeringRequest {
    /// The name of the direction that is added.
    package let direction: String
    /// The command line that made the request.
    package let command: String
    /// The factor by which the direction is multiplied before it is added. 1 adds the whole difference from which the
    /// direction was made.
    package var strength = 1.0
    /// Whether the strength is measured in lengths of the activation that is steered; the direction is then scaled to
    /// length 1.
    package var isRelative = false
    /// The sites (named places in the model) at which the direction is added, separated by commas; nil means the site
    /// where the direction was found.
    package var sites: String?
    /// The token positions at which the direction is added: `all`, `prompt`, `first`, `last`, a position such as `5`,
    /// or `from:5`.
    package var positions = "all"

    package init(_ direction: String, command: String) {
        self.direction = direction
        self.command = command
    }

    /// Makes the edit that adds the first vector of a subspace (a set of directions) to activations of a checkpoint's
    /// runs.
    ///
    /// - Throws: `EditError`, `SiteError`.
    package func entry(of subspace: Subspace, in checkpoint: LoadedCheckpoint) throws -> EditStack.Entry {
        let c = try checkpoint.facts()
        try c.check(subspace, direction)
        try EditSites.checkStrength(strength)
        let places = try c.editPositions(positions)
        let chosen: [Site]
        if let sites {
            chosen = try c.editSites(sites, of: subspace)
        } else if let site = subspace.site {
            chosen = [site]
        } else {
            throw EditError.unplaced(direction, isAdded: true)
        }
        let (strength, relative) = (strength, isRelative)
        let edits: @Sendable (Subspace) -> [any Edit] = { other in
            let row = relative ? other.basis.row(0) : other.vectors.row(0)
            return [
                Steering(
                    vector: row.map { Float(strength) * $0 }, isRelative: relative, sites: chosen, positions: places)
            ]
        }
        let factor = NumberFormat.significant(strength)
        let amount = "\(strength < 0 ? "" : "+")\(strength == 1 ? "" : strength == -1 ? "-" : factor)"
        return EditStack.Entry(
            label: "\(amount)\(direction)",
            summary: "\(factor) times \(direction)\(relative ? ", in lengths of each row," : "") added at"
                + " \(EditSites.text(chosen))\(EditSites.suffix(positions))",
            command: command,
            edits: edits(subspace),
            digest: EditSites.digest(
                subspace.vectors.row(0) + [Float(strength), relative ? 1 : 0], chosen, positions),
            control: EditStack.Control(
                directions: try subspace.prefix(1), site: subspace.site ?? chosen[0], edits: edits))
    }
}
