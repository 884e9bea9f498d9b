import Models
package import Workbench
package import Sites

/// Where two sets of prompts are set against each other: sites and one position of each prompt.
package struct ContrastPlace {
    /// In the order of computation; none where it was left open.
    package let sites: [Site]
    package let position: Position

    /// - Parameter text: sites and a position in any order, with commas between: `resid_pre[3],last`; nil: the last
    ///   position, and no site.
    /// - Throws: `SiteError` for what is neither, `DirectionsError` for a second position and for places without directions.
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
