import Comparison
import Control
import Directions
import LinearAlgebra
import Models
import Sites
import Statistics
import Workbench

/// R: the directions along which tuning moved the activations of forbidden prompts, and what the behaviour needs of them.
///
/// Tuning that writes one direction at one layer moves activations along more of them at later ones, which read it: R is
/// looked for at several layers, and taken where the behaviour hangs on its first direction most.
struct BasinDirections {
    let search: SubspaceSearch
    /// Nil where no direction stands out.
    let subspace: Subspace?
    /// Ranks found in halves of the prompts.
    let halves: [Int]

    private static let halvings = 8
    /// Layers at most at which R is looked for.
    private static let layers = 8

    init(_ evidence: ClaimEvidence) throws {
        let (options, context) = (evidence.options, evidence.context)
        let positives = try evidence.prompts.found(.forbidden, ClaimEvidence.directionPrompts, options.seed)
        let negatives = try evidence.prompts.found(.plain, ClaimEvidence.directionPrompts, options.seed)
        let sets = try ContrastedSets(
            ("forbidden", positives), ("plain", negatives), of: evidence.tuned.checkpoint,
            base: evidence.base.checkpoint, choices: options.choices, in: context)
        search = try Self.best(sets, evidence)
        subspace = try search.subspace(recipe: "{}")
        var halves: [Int] = []
        for half in 0..<Self.halvings {
            var random = SeededRandom(seed: options.seed, stream: 0x4868, half)
            let count = sets.positives.labels.count
            let part = random.sample(max(2, count / 2), of: count).sorted()
            // Half of the prompts may be too few for contrasts; then the range is that of the others.
            do {
                halves.append(try Self.search(sets.selecting(part), at: search.site, of: 1, evidence).dimension)
            } catch let error where error is WorkbenchError || error is DirectionsError || error is SubspaceError {
                continue
            }
        }
        self.halves = halves
    }

    /// - Parameter places: at how many it is looked for; the level of each is corrected for their number.
    private static func search(
        _ sets: ContrastedSets, at site: Site, of places: Int, _ evidence: ClaimEvidence
    ) throws -> SubspaceSearch {
        // Directions beyond the claimed range are looked for too, so that there may be too many.
        let limit = min(256, max(16, Int(evidence.options.basin.upperBound.rounded(.up)) + 6))
        return try SubspaceSearch(
            sets, site: site, isTuning: true, size: nil, contrasts: .both, limit: limit, draws: 100 * places,
            level: 1 - (1 - DeflatedContrastNull.level) / Double(places), in: evidence.context)
    }

    /// Where the behaviour hangs on R most, by prompts that R is found on.
    ///
    /// - Throws: `ClaimsError.sameActivations` where tuning moved nothing.
    private static func best(_ sets: ContrastedSets, _ evidence: ClaimEvidence) throws -> SubspaceSearch {
        var sites: [Site] = []
        for site in sets.sites where sets.isEligible(site) && site.layer > 0 {
            if try sets.positives.matrix(site).values.contains(where: { $0 != 0 }) { sites.append(site) }
        }
        guard !sites.isEmpty else {
            throw ClaimsError.sameActivations(tuned: evidence.tuned.name, base: evidence.base.name)
        }
        let count = min(layers, sites.count)
        let searches = try (0..<count).map { place in
            evidence.context.control.report(done: place, total: count, unit: "layers")
            return try search(sets, at: sites[place * sites.count / count], of: count, evidence)
        }
        let found = searches.filter { $0.dimension > 0 }
        guard found.count > 1, evidence.prompts.markers != nil else { return found.first ?? searches[0] }
        let set = try evidence.behaviourSet(.forbidden, isHeldOut: false)
        let behaviour = try evidence.behaviour()
        let everywhere = EditSites.everywhere(try evidence.tuned.checkpoint.configuration())
        let inForce = evidence.tuned.checkpoint.edits.active
        var best: (search: SubspaceSearch, rate: Double)?
        for candidate in found {
            guard let subspace = try candidate.subspace(recipe: "{}") else { continue }
            let edit = SubspaceEdit(basis: try subspace.prefix(1).basis, sites: everywhere)
            let rate = try behaviour.rates(set, inForce + [edit])?.matched?.value ?? 1
            if rate < best?.rate ?? .infinity { best = (candidate, rate) }
        }
        return best?.search ?? found[0]
    }
}

extension ClaimEvidence {
    /// Prompts that the behaviour is measured on.
    ///
    /// - Parameter isHeldOut: those that nothing was found on, where there are some.
    func behaviourSet(_ role: ClaimPrompts.Role, isHeldOut: Bool) throws -> BehaviourSet {
        let set =
            isHeldOut
            ? try prompts.measured(role, Self.behaviourPrompts, options.seed)
            : try prompts.found(role, Self.behaviourPrompts, options.seed)
        return try BehaviourSet(role.rawValue, set, tuned.checkpoint, context)
    }

    /// - Throws: `ClaimsError.noMarkers`.
    func behaviour() throws -> BehaviourRun {
        guard let markers = prompts.markers else { throw ClaimsError.noMarkers(folder: prompts.folder) }
        return BehaviourRun(
            context: context, source: tuned, markers: markers,
            decoding: DecodingChoices(tokens: 12, sampling: .greedy, seed: options.seed, stops: [], ignoresEnd: false),
            precision: options.choices.precision)
    }

    /// Replies without the first so many directions.
    func ablationCurve(
        _ subspace: Subspace, _ counts: [Int], on set: BehaviourSet, controls: Int
    ) throws -> CurveRun.Result {
        let sites = EditSites.everywhere(try tuned.checkpoint.configuration())
        return try CurveRun(
            behaviour: behaviour(), sweep: .ablation(subspace, counts: counts, sites: sites), set: set, neutral: nil,
            controls: RandomControls(kind: .random, count: controls), seed: options.seed
        ).run()
    }
}
