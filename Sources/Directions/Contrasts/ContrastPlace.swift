import Models
package import Workbench
package import Sites

/// The place at which two sets of prompts are contrasted: sites (named places in the model) and one position of each
/// prompt.
package struct ContrastPlace {
    /// The sites (named places in the model) to contrast, in the order of computation; empty if the user's text names
    /// none.
    package let sites: [Site]
    package let position: Position

    /// Reads the place of a contrast (sites and a token position) as a user writes it.
    ///
    /// - Parameter text: sites and a position in any order, separated by commas, such as `resid_pre[3],last`; nil means
    ///   the last position and no site.
    /// - Throws: `SiteError` for a part that is neither a site nor a position; `DirectionsError` for a second position,
    ///   for all positions, and for patterns and logits, which have no directions.
    package init(_ text: String?, _ facts: CheckpointFacts) throws {
        guard let text else {
            (sites, position) = ([], .last)
            return
        }
        var sites: [Site] = []
        var position: Position?
        for part in SiteExpression.list(text) {
            if let found = try? Position(part) {
                guard position == nil else { throw DirectionsError.twoPositions(text) }
                position = found
                continue
            }
            sites += try facts.sites(part)
        }
        if let bad = sites.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw DirectionsError.noDirections(bad)
        }
        if position == .all { throw DirectionsError.dependentRows }
        self.sites = Set(sites).sorted()
        self.position = position ?? .last
    }
}
