import Control
import LinearAlgebra
import Models
package import Sites
import Statistics
package import Workbench

/// The directions of two sets at each of some sites, and the one that is chosen of them.
package struct DirectionCandidates {
    package let sets: ContrastedSets
    package let method: DirectionMethod
    /// One a site; nil where both sets have the same rows.
    package let found: [FoundDirection?]
    package let counts: (positives: Int, negatives: Int)
    /// The site that the rule picks.
    package let chosen: Int

    /// - Throws: the reason why there is no direction, if there is one at no site; `CancellationError`.
    package init(_ sets: ContrastedSets, _ method: DirectionMethod, in context: RunContext) throws {
        self.sets = sets
        self.method = method
        let seed = context.seed
        var found: [FoundDirection?] = []
        var counts = (0, 0)
        for (index, site) in sets.sites.enumerated() {
            context.control.report(done: index, total: sets.sites.count, unit: "sites")
            do {
                let rows = try sets.rows(at: site)
                counts = (rows.positives, rows.negatives)
                found.append(
                    try Interruptible.run(context.control) { control in
                        try FoundDirection(method, rows, seed: seed, control: control)
                    })
            } catch let error as DirectionsError where sets.sites.count > 1 && error == .identicalClasses {
                // As at the first layer, where all prompts end in the same token.
                found.append(nil)
            }
        }
        let eligible = zip(sets.sites, found).map { sets.isEligible($0) ? $1 : nil }
        guard let chosen = FoundDirection.best(eligible) ?? FoundDirection.best(found) else {
            throw DirectionsError.identicalClasses
        }
        (self.found, self.counts, self.chosen) = (found, counts, chosen)
    }

    package var site: Site { sets.sites[chosen] }

    /// The chosen direction as a value.
    package func subspace(recipe: String) throws -> Subspace {
        guard let direction = found[chosen] else { throw DirectionsError.identicalClasses }
        var subspace = try Subspace(
            vectors: Matrix(rows: 1, columns: direction.vector.count, values: direction.vector.map(Float.init)),
            site: site, position: sets.position, recipe: recipe)
        subspace.negativeMean = direction.negativeMean.map(Float.init)
        return subspace
    }
}
