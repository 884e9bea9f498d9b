import Directions
import LinearAlgebra
import Models

/// Random directions for each site at which edits' own directions were found.
struct RandomDirections {
    private var sources: [Site: CovarianceMatched] = [:]

    /// - Throws: `CommandError` where the activations have no variance.
    init(at sites: [Site], _ sets: [BehaviourSet], _ run: BehaviourRun, edits: [any Edit]) throws {
        for site in Set(sites).sorted() {
            let rows = try run.rows(at: site, of: sets, edits: edits)
            do {
                sources[site] = try CovarianceMatched(rows)
            } catch is DirectionsError {
                throw CommandError(
                    "all activations at \(site.shortName) are the same over these prompts",
                    remedy: "give more prompts, or leave out --against")
            }
        }
    }

    /// As many directions as there are lengths.
    func draw(_ lengths: [Double], at site: Site, _ random: inout SeededRandom) throws -> Subspace {
        guard let source = sources[site] else { preconditionFailure("no rows of \(site.shortName)") }
        do {
            return try source.subspace(lengths.count, lengths: lengths, random: &random)
        } catch is DirectionsError {
            throw CommandError(
                "the activations at \(site.shortName) span fewer than"
                    + " \(counted(lengths.count, "direction")) over these prompts",
                remedy: "give more prompts, or leave out --against")
        }
    }
}
