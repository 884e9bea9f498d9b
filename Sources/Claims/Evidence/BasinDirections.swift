import Comparison
import Control
import Directions
import LinearAlgebra
import Models
import Sites
import Statistics
import Workbench

/// R, which the essay calls a basin: the directions along which tuning moved the activations of forbidden prompts, and
/// which the behaviour needs.
///
/// Tuning that writes one direction at one layer moves activations along more directions at later layers, which read
/// it. So R (the directions that tuning added) is looked for at several layers, and taken where the behaviour depends
/// most on its first direction.
struct BasinDirections {
    /// The search for directions at the layer that was chosen for R.
    let search: SubspaceSearch
    /// The directions of R that tuning added; nil if none stands out from differences within a class of prompts.
    let subspace: Subspace?
    /// The numbers of directions that were found in random halves of the prompts, one for each half.
    let halves: [Int]

    /// The number of random halves of the prompts in which directions are looked for again.
    private static let halvings = 8
    /// The largest number of layers at which R, the directions that tuning added, is looked for.
    private static let layers = 8

    init(_ evidence: ClaimEvidence) throws {
        let (options, context) = (evidence.options, evidence.context)
        let positives = try evidence.prompts.found(.forbidden, ClaimEvidence.directionPrompts, options.seed)
        let negatives = try evidence.prompts.found(.plain, ClaimEvidence.directionPrompts, options.seed)
        let sets = try ContrastedSets(
            ("forbidden", positives), ("plain", negatives), of: evidence.tuned.checkpoint,
            base: evidence.base.checkpoint, choices: options.choices, in: context)
        search = try Self.best(sets, evidence)
        search.weighed.tell(in: context)
        subspace = try search.subspace(recipe: "{}")
        var halves: [Int] = []
        for half in 0..<Self.halvings {
            var random = SeededRandom(seed: options.seed, .basinHalves, half)
            let count = sets.positives.labels.count
            let part = random.sample(max(2, count / 2), of: count).sorted()
            // Half of the prompts may be too few for contrasts; the range is then that of the other halves.
            do {
                halves.append(try Self.search(sets.selecting(part), at: search.site, of: 1, evidence).dimension)
            } catch let error where error is WorkbenchError || error is DirectionsError || error is SubspaceError {
                continue
            }
        }
        self.halves = halves
    }

    /// Searches for the directions that tuning added, at one site (a named place in the model).
    ///
    /// - Parameter places: the number of sites that are searched in all, for which the level of each test is corrected.
    private static func search(
        _ sets: ContrastedSets, at site: Site, of places: Int, _ evidence: ClaimEvidence
    ) throws -> SubspaceSearch {
        // Directions beyond the claimed range are looked for too, so that there can be too many.
        let limit = min(256, max(16, Int(evidence.options.basin.upperBound.rounded(.up)) + 6))
        return try SubspaceSearch(
            sets, site: site, isTuning: true, size: nil, contrasts: .both, limit: limit, draws: 100 * places,
            level: 1 - (1 - DeflatedContrastNull.level) / Double(places), in: evidence.context)
    }

    /// Returns the search at the site (place in the model) where the behaviour depends most on R, the directions that
    /// tuning added, judged by the prompts on which R is found.
    ///
    /// - Throws: `ClaimsError.sameActivations` if tuning moved no activations.
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
        let everywhere = try evidence.tuned.checkpoint.facts().streamSites
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
    /// Returns the prompts of a role on which the tuned model's behaviour is measured.
    ///
    /// - Parameter isHeldOut: whether to take the role's held-out prompts, on which nothing was found, if there are
    ///   any.
    func behaviourSet(_ role: ClaimPrompts.Role, isHeldOut: Bool) throws -> BehaviourSet {
        let set =
            isHeldOut
            ? try prompts.measured(role, Self.behaviourPrompts, options.seed)
            : try prompts.found(role, Self.behaviourPrompts, options.seed)
        return try BehaviourSet(role.rawValue, set, tuned.checkpoint, context)
    }

    /// Returns a run that generates the tuned model's replies and searches them for refusal phrases.
    ///
    /// - Throws: `ClaimsError.noMarkers` if the folder of prompts has no refusal phrases.
    func behaviour() throws -> BehaviourRun {
        guard let markers = prompts.markers else { throw ClaimsError.noMarkers(folder: prompts.folder) }
        return BehaviourRun(
            context: context, source: tuned, markers: markers,
            decoding: DecodingChoices(tokens: 12, sampling: .greedy, seed: options.seed, stops: [], ignoresEnd: false),
            precision: options.choices.precision)
    }

    /// Measures the tuned model's replies when the first directions of a subspace are taken out of its activations, for
    /// each of some counts of directions.
    func ablationCurve(
        _ subspace: Subspace, _ counts: [Int], on set: BehaviourSet, controls: Int
    ) throws -> CurveRun.Result {
        let sites = try tuned.checkpoint.facts().streamSites
        return try CurveRun(
            behaviour: behaviour(), sweep: .ablation(subspace, counts: counts, sites: sites), set: set, neutral: nil,
            controls: RandomControls(kind: .random, count: controls), seed: options.seed
        ).run()
    }
}
