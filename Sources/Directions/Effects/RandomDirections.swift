import LinearAlgebra
package import Models
package import Sites
package import Statistics
import TerminalText
package import Workbench

/// Random directions for each site at which edits' own directions were found, outside of those.
package struct RandomDirections {
    /// Empty where every direction is as likely as another.
    private var sources: [Site: DirectionSampler] = [:]

    /// That the covariance is taken from, over all sets.
    private static let rows = 2000

    /// - Throws: `DirectionsError` where the activations have no variance.
    package init(
        _ kind: RandomControls.Kind, at sites: [Site], _ sets: [BehaviourSet], _ run: BehaviourRun, edits: [any Edit]
    ) throws {
        guard kind == .random, !sets.isEmpty else { return }
        for site in Set(sites).sorted() {
            let groups = try sets.map { try run.rows(at: site, of: $0, edits: edits, most: Self.rows / sets.count) }
            do {
                sources[site] = try DirectionSampler(covarianceWithin: groups)
            } catch is SubspaceError {
                throw DirectionsError.sameActivations(site)
            }
        }
    }

    /// As many directions as another subspace has, as long as its vectors, and orthogonal to it.
    package func draw(beside other: Subspace, at site: Site, _ random: inout SeededRandom) throws -> Subspace {
        let source = sources[site] ?? .isotropic(width: other.width)
        do {
            return try source.subspace(
                other.dimension, lengths: other.lengths, outside: other, random: &random)
        } catch is SubspaceError {
            throw DirectionsError.fewDirections(site, wanted: other.dimension)
        }
    }
}
