import LinearAlgebra
package import Models
package import Sites
package import Statistics
import TerminalText
package import Workbench

/// Draws random directions for each site (a named place in the model) at which the edits' own directions were found,
/// orthogonal to those.
package struct RandomDirections {
    /// The sampler of random directions at each site (place in the model); empty if every direction is equally likely.
    private var sources: [Site: DirectionSampler] = [:]

    /// The number of rows of activations, over all sets of prompts, from which the covariance is taken.
    private static let rows = 2000

    /// - Throws: `DirectionsError` if the activations have no variance; the runs' errors.
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

    /// Draws as many random directions as another subspace has, orthogonal to it and with its vectors' lengths.
    ///
    /// - Throws: `DirectionsError.fewDirections` if the activations span too few.
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
