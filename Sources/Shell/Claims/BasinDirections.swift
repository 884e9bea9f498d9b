import Directions
import Geometry
import Language
import LinearAlgebra
import Models
import Provenance
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// R: the directions along which tuning moved the activations of forbidden prompts, and what the behaviour needs of them.
///
/// Tuning that writes one direction at one layer moves activations along more of them at later ones, which read it: R is
/// looked for at several layers, and taken where the behaviour hangs on its first direction most.
struct BasinDirections {
    private let run: ClaimsRun
    /// Why there is no R to speak of.
    private var failure: String?
    private var search: SubspaceSearch?
    private var subspace: Subspace?
    /// Ranks found in halves of the prompts.
    private var ranks: [Int] = []

    private static let halves = 8
    /// Layers at most at which R is looked for.
    private static let layers = 8

    /// - Throws: `CancellationError` alone.
    init(_ run: ClaimsRun) throws {
        self.run = run
        let seed = run.options.seed
        do {
            let positives = try run.prompts.found(.forbidden, ClaimsRun.directionPrompts, seed)
            let negatives = try run.prompts.found(.plain, ClaimsRun.directionPrompts, seed)
            let sets = try run.session.contrasted(
                [("forbidden", positives), ("plain", negatives)], ContrastPlace(), of: run.tuned.checkpoint,
                base: run.base.checkpoint, choices: run.options.choices)
            let found = try search(sets)
            search = found
            subspace = try found.subspace(recipe: "{}")
            for half in 0..<Self.halves {
                var random = SeededRandom(seed: seed, stream: 0x4868, half)
                let count = sets.positives.labels.count
                let part = random.sample(max(2, count / 2), of: count).sorted()
                // Half of the prompts may be too few for contrasts; then the range is that of the others.
                do {
                    ranks.append(try search(sets.selecting(part), at: found.site, of: 1).dimension)
                } catch let error
                    where error is CommandError || error is WorkbenchError || error is DirectionsError
                    || error is SubspaceError
                {
                    continue
                }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            failure = CommandError.words(error)
        }
    }

    /// Directions beyond the claimed range are looked for too, so that there may be too many.
    private var limit: Int { min(256, max(16, Int(run.options.basin.upperBound.rounded(.up)) + 6)) }

    /// - Parameter places: at how many it is looked for; the level of each is corrected for their number.
    private func search(_ sets: ContrastedSets, at site: Site, of places: Int) throws -> SubspaceSearch {
        try SubspaceSearch(
            sets, site: site, isTuning: true, size: nil, contrasts: .both, limit: limit, draws: 100 * places,
            level: 1 - (1 - DeflatedContrastNull.level) / Double(places), in: run.session)
    }

    /// Where the behaviour hangs on R most, by prompts that R is found on.
    ///
    /// - Throws: `CommandError` where tuning moved nothing.
    private func search(_ sets: ContrastedSets) throws -> SubspaceSearch {
        var sites: [Site] = []
        for site in sets.sites where sets.isEligible(site) && site.layer > 0 {
            if try sets.positives.matrix(site).values.contains(where: { $0 != 0 }) { sites.append(site) }
        }
        guard !sites.isEmpty else {
            throw CommandError(
                "\(run.tuned.name) and \(run.base.name) have the same activations on forbidden prompts")
        }
        let count = min(Self.layers, sites.count)
        let searches = try (0..<count).map { place in
            run.session.control.report(done: place, total: count, unit: "layers")
            return try search(sets, at: sites[place * sites.count / count], of: count)
        }
        let found = searches.filter { $0.dimension > 0 }
        guard found.count > 1, run.prompts.markers != nil else { return found.first ?? searches[0] }
        let set = try behaviourSet(.forbidden, run.prompts.found)
        let (behaviour, everywhere) = (try behaviour(), EditSites.everywhere(try run.tuned.checkpoint.configuration()))
        let inForce = run.tuned.checkpoint.edits.active
        var best: (search: SubspaceSearch, rate: Double)?
        for candidate in found {
            guard let subspace = try candidate.subspace(recipe: "{}") else { continue }
            let edit = SubspaceEdit(basis: try subspace.prefix(1).basis, sites: everywhere)
            let rate = try behaviour.rates(set, inForce + [edit])?.matched?.value ?? 1
            if rate < best?.rate ?? .infinity { best = (candidate, rate) }
        }
        return best?.search ?? found[0]
    }

    private func behaviourSet(
        _ role: ClaimPrompts.Role, _ prompts: (ClaimPrompts.Role, Int, UInt64) throws -> PromptSet
    ) throws -> BehaviourSet {
        try BehaviourSet(
            role.rawValue, prompts(role, ClaimsRun.behaviourPrompts, run.options.seed), run.tuned.checkpoint,
            run.session.context())
    }

    private func behaviour() throws -> BehaviourRun {
        guard let markers = run.prompts.markers else {
            throw CommandError(
                "\(run.prompts.folder.escapedForTerminal) has no refusals.txt with phrases",
                remedy: "write the phrases of the behaviour, one a line")
        }
        return BehaviourRun(
            context: try run.session.context(), source: run.tuned, markers: markers,
            decoding: DecodingChoices(
                tokens: 12, sampling: .greedy, seed: run.options.seed, stops: [], ignoresEnd: false),
            precision: run.options.choices.precision)
    }

    /// Replies without the first so many directions.
    private func curve(
        _ subspace: Subspace, _ counts: [Int], on set: BehaviourSet, controls: Int
    ) throws -> CurveRun.Result {
        let sites = EditSites.everywhere(try run.tuned.checkpoint.configuration())
        return try CurveRun(
            behaviour: behaviour(), sweep: .ablation(subspace, counts: counts, sites: sites), set: set, neutral: nil,
            controls: RandomControls(kind: .random, count: controls), seed: run.options.seed
        ).run()
    }

    private func statement(_ kind: Claim.Kind) -> String {
        let range =
            "\(NumberFormat.significant(run.options.basin.lowerBound)) to"
            + " \(NumberFormat.significant(run.options.basin.upperBound))"
        return switch kind {
        case .basinDimension: "tuning digs a basin R of \(range) dimensions"
        case .causal: "the behaviour hangs on \(range) directions of R"
        default: "R lies inside M"
        }
    }

    /// - Throws: `CancellationError` alone.
    func claim(_ kind: Claim.Kind) throws -> Claim {
        guard let search, failure == nil else {
            return .untestable(kind, statement(kind), failure ?? "no directions were looked for")
        }
        return try run.testing(kind, statement(kind)) {
            switch kind {
            case .basinDimension: rankClaim(search)
            case .causal: try causalClaim(search)
            default: try containedClaim(search)
            }
        }
    }

    private var command: String { "subspace FORBIDDEN PLAIN --base \(run.base.name)" }

    /// How many directions stand out of contrasts.
    private func rankClaim(_ search: SubspaceSearch) -> Claim {
        let rank = search.dimension
        let range = min(rank, ranks.min() ?? rank)...max(rank, ranks.max() ?? rank)
        let claimed = run.options.basin
        let isWhole = claimed.contains(Double(range.lowerBound)) && claimed.contains(Double(range.upperBound))
        let isOutside = Double(range.upperBound) < claimed.lowerBound || Double(range.lowerBound) > claimed.upperBound
        let strength = search.null.steps.first?.signalToNoise.map {
            ", the first with \(Claim.text($0)) times the noise's energy"
        }
        return Claim(
            kind: .basinDimension, statement: statement(.basinDimension),
            measure: "directions of \(run.tuned.name) - \(run.base.name) beyond contrasts, \(search.site.shortName)",
            value: .interval(value: Double(rank), low: Double(range.lowerBound), high: Double(range.upperBound)),
            null: .number(0),
            verdict: rank == 0
                ? .notDistinguishable
                : search.null.endedAtLimit || isOutside ? .notSupported : isWhole ? .supported : .notDistinguishable,
            reason: rank == 0
                ? "no direction stands out of what prompts of one class differ by"
                : (search.null.endedAtLimit ? "at least " : "") + counted(rank, "direction") + (strength ?? "")
                    + "; the range is that of \(ranks.count) halves",
            command: command)
    }

    /// How many have to go before the behaviour does.
    private func causalClaim(_ search: SubspaceSearch) throws -> Claim {
        let command =
            "curve R FORBIDDEN --neutral PLAIN --markers \(run.prompts.folder.escapedForTerminal)/refusals.txt"
        func claim(_ value: Cell, _ verdict: Verdict, _ reason: String) -> Claim {
            Claim(
                kind: .causal, statement: statement(.causal),
                measure: "fewest first directions without which the behaviour is at its base rate,"
                    + " \(search.site.shortName)", value: value, verdict: verdict,
                reason: reason + (run.prompts.hasHeldOut(.forbidden) ? "" : "; R was found on the same prompts"),
                command: command)
        }
        let behaviour = try behaviour()
        guard let subspace else {
            return claim(
                .missing, .notDistinguishable, "no direction stands out of what prompts of one class differ by")
        }
        let set = try behaviourSet(.forbidden, run.prompts.measured)
        let plain = try behaviour.rates(
            behaviourSet(.plain, run.prompts.measured), run.tuned.checkpoint.edits.active)
        let alone = try curve(subspace, Array(1...subspace.dimension), on: set, controls: 0)
        guard let before = alone.before.matched, let neutral = plain?.matched else {
            throw CommandError("no replies were made")
        }
        switch alone.causal(base: neutral) {
        case nil:
            let least = alone.points.compactMap { $0.rates.matched?.value }.min()
            return claim(
                .missing, .notSupported,
                "the rate stays above that of plain prompts without all \(subspace.dimension): \(Claim.text(least)),"
                    + " \(Claim.text(before.value)) before")
        case 0?:
            return .untestable(
                .causal, statement(.causal),
                "\(run.tuned.name) shows no such behaviour: \(Claim.text(before.value)) of the forbidden prompts,"
                    + " \(Claim.text(neutral.value)) of plain ones")
        case let k?:
            let controlled = try curve(subspace, [Int(k)], on: set, controls: 20)
            let random = controlled.points[0].random.compactMap { $0.matched?.value }.sorted()
            let after = controlled.points[0].rates.matched?.value ?? 0
            // One of 21 is what chance alone allows.
            let isBelow = random.allSatisfy { $0 > after }
            let isInside = run.options.basin.contains(k)
            let taken = k == 1 ? "the first" : "the first \(Claim.text(k))"
            return claim(
                .number(k), !isBelow ? .notDistinguishable : isInside ? .supported : .notSupported,
                "\(Claim.text(before.value)) before, \(Claim.text(after)) without \(taken),"
                    + " \(EffectReport.spread(random).formatted()) without as many random ones")
        }
    }

    /// Whether they lie in the principal space of other prompts.
    private func containedClaim(_ search: SubspaceSearch) throws -> Claim {
        guard let subspace else {
            return Claim(
                kind: .contained, statement: statement(.contained), verdict: .notDistinguishable,
                reason: "no direction stands out of what prompts of one class differ by")
        }
        let set = try run.prompts.anything(
            heldOut: true, atMost: ClaimsRun.containmentPrompts, seed: run.options.seed)
        let apart = Set(
            try [ClaimPrompts.Role.forbidden, .plain].flatMap { role in
                try run.prompts.found(role, .max, run.options.seed).prompts.map(\.text)
            })
        let kept = PromptSet(
            source: set.source, prompts: set.prompts.filter { !apart.contains($0.text) }, isChat: set.isChat)
        guard !kept.prompts.isEmpty else {
            throw CommandError("all prompts are those that R was found on", remedy: "write held-out sets of prompts")
        }
        let rows = try run.lastRows(run.tuned, kept, [search.site])[0]
        let points = Points(
            name: search.site.fullName, matrix: rows, rounding: nil, input: Recipe.Input(name: kept.source, sha256: ""))
        let found = try ContainmentRun(
            context: run.session.context(), subspace: subspace, source: PointSource(points), apart: []
        ).run()
        let level = found.measurement.levels[0]
        let half = level.spread.map { Proportion.z95 * $0 }
        let topics = level.topics
        return Claim(
            kind: .contained, statement: statement(.contained),
            measure: "C, of R in the first \(level.dimensions) directions of M (\(level.name))",
            value: half.map {
                .interval(value: level.value, low: max(0, level.value - $0), high: min(1, level.value + $0))
            } ?? .number(level.value),
            null: .interval(value: topics.quantile(0.5), low: topics.quantile(0.05), high: topics.quantile(0.95)),
            verdict: level.isContained ? .supported : .notSupported,
            reason: (level.isContained
                ? "contained, as any direction is that prompts differ along"
                : "partly outside: 1 - C = \(NumberFormat.significant(1 - level.value))")
                + "; noise \(NumberFormat.significant(level.noise.quantile(0.5))), chance"
                + " \(NumberFormat.significant(level.haar.mean))", command: "contain R M")
    }
}

extension ContrastedSets {
    /// Some rows of the positives.
    func selecting(_ rows: [Int]) -> ContrastedSets {
        let whole = positives
        let part = Side(
            name: whole.name, labels: rows.map { whole.labels[$0] }, hasOneRowAPrompt: whole.hasOneRowAPrompt
        ) { try whole.matrix($0).selecting(rows.map(Int32.init)) }
        return ContrastedSets(
            positives: part, negatives: negatives, sites: sites, areNamed: areNamed, position: position, layers: layers)
    }
}
