import Control
import LinearAlgebra
import Models
package import Sites
import Statistics
package import Workbench

/// The directions between two sets of activations at some sites (named places in the model), and the one that is chosen
/// among them.
package struct DirectionCandidates {
    package let sets: ContrastedSets
    package let method: DirectionMethod
    /// The direction found at each site of the two sets; nil at a site where both sets have the same rows.
    package let found: [FoundDirection?]
    /// The number of rows of activations in each of the two contrasted sets.
    package let counts: (positives: Int, negatives: Int)
    /// The index, among the sites, of the direction chosen by `FoundDirection.best`.
    package let chosen: Int

    /// Finds the direction between two sets at each of their sites (places in the model) and chooses the best one.
    ///
    /// - Throws: the reason why there is no direction, if there is none at any site; `CancellationError`.
    package init(_ sets: ContrastedSets, _ method: DirectionMethod, in context: RunContext) throws {
        self.sets = sets
        self.method = method
        let seed = context.seed
        var found: [FoundDirection?] = []
        var counts = (0, 0)
        var weighed = WeighedRows()
        for (index, site) in sets.sites.enumerated() {
            context.control.report(done: index, total: sets.sites.count, unit: "sites")
            do {
                let rows = try sets.rows(at: site)
                counts = (rows.positives, rows.negatives)
                weighed.add(rows.values, width: rows.width, name: site.shortName)
                found.append(
                    try Interruptible.run(context.control) { control in
                        try FoundDirection(method, rows, seed: seed, control: control)
                    })
            } catch let error as DirectionsError where sets.sites.count > 1 && error == .identicalClasses {
                // This happens, for example, at the first layer, where all prompts end in the same token.
                found.append(nil)
            }
        }
        weighed.tell(in: context)
        let eligible = zip(sets.sites, found).map { sets.isEligible($0) ? $1 : nil }
        guard let chosen = FoundDirection.best(eligible) ?? FoundDirection.best(found) else {
            throw DirectionsError.identicalClasses
        }
        (self.found, self.counts, self.chosen) = (found, counts, chosen)
    }

    package var site: Site { sets.sites[chosen] }

    /// Returns the direction that was chosen among the sites, as a subspace of dimension 1.
    package func subspace(recipe: String) throws -> Subspace {
        guard let direction = found[chosen] else { throw DirectionsError.identicalClasses }
        var subspace = try Subspace(
            vectors: Matrix(rows: 1, columns: direction.vector.count, values: direction.vector.map(Float.init)),
            site: site, position: sets.position, recipe: recipe)
        subspace.negativeMean = direction.negativeMean.map(Float.init)
        return subspace
    }
}
