import Directions
import Geometry
import LinearAlgebra
import Models
import Reports

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

    /// More directions are not looked for.
    private static let limit = 16
    private static let halves = 8
    /// Layers at most at which R is looked for.
    private static let layers = 8

    /// - Throws: `CancellationError` alone.
    init(_ run: ClaimsRun) throws {
        self.run = run
        let seed = run.options.seed
        do {
            let positives = try run.prompts.found(.forbidden, atMost: ClaimsRun.directionPrompts, seed: seed)
            let negatives = try run.prompts.found(.plain, atMost: ClaimsRun.directionPrompts, seed: seed)
            let sets = try run.session.contrasted(
                [("forbidden", positives), ("plain", negatives)], ContrastPlace(), of: run.tuned.checkpoint,
                base: run.base.checkpoint, choices: run.options.choices)
            guard let found = try search(sets) else { return }
            search = found
            subspace = try found.subspace(recipe: "{}")
            for half in 0..<Self.halves {
                var random = SeededRandom(seed: seed, stream: 0x4868, half)
                let count = sets.positives.labels.count
                let part = random.sample(max(2, count / 2), of: count).sorted()
                ranks.append(try search(sets.selecting(part), at: found.site).dimension)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            failure = "\(error)"
        }
    }

    private func search(_ sets: ContrastedSets, at site: Site) throws -> SubspaceSearch {
        try SubspaceSearch(
            sets, site: site, isTuning: true, size: nil, contrasts: .both, limit: Self.limit, draws: 100,
            in: run.session)
    }

    /// Where the behaviour hangs on R most; nil where tuning moved nothing.
    private func search(_ sets: ContrastedSets) throws -> SubspaceSearch? {
        var sites: [Site] = []
        for site in sets.sites where sets.isEligible(site) && site.layer > 0 {
            if try sets.positives.matrix(site).values.contains(where: { $0 != 0 }) { sites.append(site) }
        }
        guard !sites.isEmpty else {
            throw CommandError("\(run.tuned.name) and \(run.base.name) have the same activations on forbidden prompts")
        }
        let count = min(Self.layers, sites.count)
        let searches = try (0..<count).map { try search(sets, at: sites[$0 * sites.count / count]) }
        let found = searches.filter { $0.dimension > 0 }
        guard found.count > 1, run.prompts.markers != nil else { return found.first ?? searches[0] }
        var best: (search: SubspaceSearch, rate: Double)?
        for candidate in found {
            guard let subspace = try candidate.subspace(recipe: "{}") else { continue }
            let rate = try curve(subspace, [1], controls: 0).points[0].rates.matched?.value ?? 1
            if rate < best?.rate ?? .infinity { best = (candidate, rate) }
        }
        return best?.search
    }

    /// Replies to forbidden prompts without the first so many directions, and to plain ones.
    private func curve(_ subspace: Subspace, _ counts: [Int], controls: Int) throws -> CurveRun.Result {
        guard let markers = run.prompts.markers else {
            throw CommandError(
                "\(run.prompts.folder) has no refusals.txt", remedy: "write the phrases of the behaviour, one a line")
        }
        let (session, seed) = (run.session, run.options.seed)
        func set(_ role: ClaimPrompts.Role) throws -> BehaviourSet {
            try BehaviourSet(
                role.rawValue, run.prompts.measured(role, atMost: ClaimsRun.behaviourPrompts, seed: seed),
                run.tuned.checkpoint, session)
        }
        let behaviour = BehaviourRun(
            session: session, source: run.tuned, markers: markers,
            decoding: DecodingChoices(tokens: 12, sampling: .greedy, seed: seed, stops: [], ignoresEnd: false),
            precision: run.options.choices.precision)
        let sites = EditSites.everywhere(try run.tuned.checkpoint.configuration())
        return try CurveRun(
            behaviour: behaviour, sweep: .ablation(subspace, counts: counts, sites: sites), set: set(.forbidden),
            neutral: set(.plain), controls: RandomControls(kind: .random, count: controls), seed: seed
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
        let first = search.null.steps.first
        let isInside = run.options.basin.contains(Double(rank))
        return Claim(
            kind: .basinDimension, statement: statement(.basinDimension),
            measure: "directions of \(run.tuned.name) - \(run.base.name) beyond contrasts, \(search.site.shortName)",
            value: .interval(
                value: Double(rank), low: Double(min(rank, ranks.min() ?? rank)),
                high: Double(max(rank, ranks.max() ?? rank))), null: .number(0),
            verdict: rank == 0 ? .noise : isInside ? .supported : .no,
            reason: rank == 0
                ? "no direction stands out of what prompts of one class differ by"
                : (search.null.endedAtLimit ? "at least " : "") + "\(counted(rank, "direction"))"
                    + (first?.signalToNoise.map {
                        ", the first with \(NumberFormat.significant($0)) times the noise's energy"
                    }
                        ?? "") + "; the range is that of \(Self.halves) halves",
            command: command)
    }

    /// How many have to go before the behaviour does.
    private func causalClaim(_ search: SubspaceSearch) throws -> Claim {
        guard let subspace else {
            throw CommandError("no direction of R was found that could be taken out")
        }
        let alone = try curve(subspace, Array(1...subspace.dimension), controls: 0)
        guard let before = alone.before.matched, let neutral = alone.neutralBefore?.matched else {
            throw CommandError("no replies were made")
        }
        let command = "curve R FORBIDDEN --neutral PLAIN --markers \(run.prompts.folder)/refusals.txt"
        func claim(_ value: Cell, _ null: Cell, _ verdict: Claim.Verdict, _ reason: String) -> Claim {
            Claim(
                kind: .causal, statement: statement(.causal),
                measure:
                    "fewest first directions without which the behaviour is at its base rate, \(search.site.shortName)",
                value: value, null: null,
                verdict: verdict, reason: reason, command: command)
        }
        let rate = Claim.text(before.value)
        switch alone.causal(base: neutral) {
        case nil:
            let least = alone.points.compactMap { $0.rates.matched?.value }.min()
            return claim(
                .missing, .missing, .no,
                "the rate stays above that of plain prompts without all \(subspace.dimension):"
                    + " \(Claim.text(least)), \(rate) before")
        case 0?:
            return .untestable(
                .causal, statement(.causal),
                "\(run.tuned.name) shows no such behaviour: \(rate) of the forbidden prompts, "
                    + "\(Claim.text(neutral.value)) of plain ones")
        case let k?:
            let controlled = try curve(subspace, [Int(k)], controls: 20)
            let random = controlled.points[0].random.compactMap { $0.matched?.value }.sorted()
            let after = controlled.points[0].rates.matched?.value ?? 0
            // One of 21 is what chance alone allows.
            let isBelow = random.allSatisfy { $0 > after }
            let isInside = run.options.basin.contains(k)
            let taken = k == 1 ? "the first" : "the first \(Claim.text(k))"
            return claim(
                .number(k), .missing, !isBelow ? .noise : isInside ? .supported : .no,
                "\(rate) before, \(Claim.text(after)) without \(taken), \(Claim.text(random[random.count / 2]))"
                    + " [\(Claim.text(random.first)), \(Claim.text(random.last))] without as many random ones")
        }
    }

    /// Whether they lie in the principal space of other prompts.
    private func containedClaim(_ search: SubspaceSearch) throws -> Claim {
        guard let subspace else { throw CommandError("no direction of R was found") }
        let set = try run.prompts.anything(seed: run.options.seed)
        let apart = Set(
            try [ClaimPrompts.Role.forbidden, .plain].flatMap { role in
                try run.prompts.found(role, seed: run.options.seed).prompts.map(\.text)
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
            session: run.session, subspace: subspace, source: PointSource(points), apart: []
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
            verdict: level.isContained ? .supported : .no,
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
