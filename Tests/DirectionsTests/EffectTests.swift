import Comparison
import Control
import LinearAlgebra
import Models
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Directions

/// pearl-tuned, a direction of its refusals, and a few prompts.
private struct Bench {
    let tuned: LoadedCheckpoint
    let direction: Subspace
    let context: RunContext
    let behaviour: BehaviourRun
    let taboo: BehaviourSet
    let plain: BehaviourSet

    init(context: RunContext = .testing(), markers: Bool = true, count: Int = 16) throws {
        let tuned = try pearl("tuned")
        self.tuned = tuned
        self.context = context
        let setup = RunContext.testing()
        let sets = try ContrastedSets(
            ("taboo", shippedPrompts("taboo.jsonl", 32, isChat: true)),
            ("plain", shippedPrompts("plain.jsonl", 32, isChat: true)), at: "resid_pre[2]", of: tuned,
            choices: RunChoices(), in: setup)
        direction = try DirectionCandidates(sets, .means, in: setup).subspace(recipe: "{}")
        behaviour = BehaviourRun(
            context: context, source: NamedCheckpoint("tuned", tuned),
            markers: markers ? Markers(try refusals(), isAtStart: true) : nil,
            decoding: DecodingChoices(tokens: 12, sampling: .greedy, seed: 0, stops: [], ignoresEnd: false),
            precision: .f32)
        taboo = try BehaviourSet(
            "taboo", shippedPrompts("taboo-heldout.jsonl", count, isChat: true), tuned, setup)
        plain = try BehaviourSet("plain", shippedPrompts("plain-heldout.jsonl", count, isChat: true), tuned, setup)
    }

    func ablation() throws -> EditStack.Entry {
        try AblationRequest("r", command: "ablate r", seed: 0).entry(of: direction, in: tuned)
    }
}

private func refusals() throws -> [String] {
    try shippedLines("refusals.txt", 7).filter { !$0.hasPrefix("#") }
}

@Suite("What edits do to behaviour")
struct EffectTests {
    @Test("without the direction nothing is refused, without a random one as much as before, and facts stay right")
    func effect() throws {
        let told = Told()
        let bench = try Bench(context: .testing(tell: told.tell))
        let result = try EffectRun(
            bench.behaviour, [bench.taboo, bench.plain], entries: [bench.ablation()],
            controls: RandomControls(kind: .random, count: 2), seed: 0
        ).run()
        let before = try #require(result.before[0]?.matched?.value)
        let after = try #require(result.after[0].rates?.matched?.value)
        #expect(before > 0.8 && after < 0.2, "\(before), \(after)")
        #expect(result.before[1]?.matched?.value == 0)
        #expect(try #require(result.after[1].rates?.right?.value) > 0.8)
        #expect(result.random.count == 2)
        for control in result.random { #expect(try #require(control[0].rates?.matched?.value) > 0.6) }
        #expect(try #require(result.after[0].divergence.prompt.mean(\.forward)).mean > 0)
        #expect(try #require(result.after[0].divergence.reply.mean(\.forward)).mean > 0)
        #expect(result.after[0].divergence.first.prompts.allSatisfy { $0.count == 1 })
        #expect(told.isOver)
        // Of steps that were announced all were done.
        let steps = told.scopes.filter { $0.total == 2 * 4 * 1000 }
        #expect(steps.map(\.done) == (0..<8).map { $0 * 1000 })
    }

    @Test("no edit changes nothing, and twice the same ablation is the same as once")
    func nothing() throws {
        let bench = try Bench()
        let none = try EffectRun(bench.behaviour, [bench.taboo], entries: [], controls: .none, seed: 0).run()
        #expect(none.after[0].rates?.matched == none.before[0]?.matched && none.random.isEmpty)
        let divergence = none.after[0].divergence
        for position in (divergence.prompt.prompts + divergence.reply.prompts).joined() {
            #expect(position.forward == 0)
        }
        #expect(divergence.reply.topAgreement.value == 1)
        let edits = try bench.ablation().edits
        let replies = try bench.behaviour.ownReplies(bench.taboo, edits)
        let once = try bench.behaviour.divergence(replies, from: edits, to: edits + edits)
        #expect(try #require(once.reply.mean(\.forward)).mean < 1e-8)
    }

    @Test("without answers and phrases nothing is generated")
    func noRates() throws {
        let bench = try Bench(markers: false, count: 4)
        let set = try BehaviourSet("open", shippedPrompts("open.txt", 4), bench.tuned, .testing())
        #expect(try bench.behaviour.rates(set, []) == nil)
        let facts = try #require(try bench.behaviour.rates(bench.plain, []))
        #expect(facts.matched == nil && facts.behaviour == facts.right && facts.right?.trials == 4)
    }

    @Test("rows for random directions are spread over all positions but each prompt's first")
    func rows() throws {
        let bench = try Bench(count: 6)
        let site = Site(.residPre, layer: 2)
        let count = bench.taboo.encoded.ids.reduce(0) { $0 + $1.count - 1 }
        let all = try bench.behaviour.rows(at: site, of: bench.taboo, edits: [], most: 10_000)
        #expect(all.rows == count)
        let some = try bench.behaviour.rows(at: site, of: bench.taboo, edits: [], most: 20)
        #expect(some.rows == 20)
        for row in 0..<20 { #expect(some.row(row) == all.row(row * count / 20)) }
    }

    @Test("given up, it throws")
    func cancelled() throws {
        let bench = try Bench(context: .cancelled, count: 2)
        let run = EffectRun(bench.behaviour, [bench.taboo], entries: [], controls: .none, seed: 0)
        #expect(throws: CancellationError.self) { try run.run() }
    }
}

@Suite("Behaviour along a sweep")
struct CurveRunTests {
    @Test("an ablation takes the behaviour to its base rate, adding the direction brings it back")
    func sweeps() throws {
        let bench = try Bench(count: 12)
        let sites = try bench.tuned.facts().streamSites
        let ablation = DirectionSweep.ablation(bench.direction, counts: [1], sites: sites)
        #expect(!ablation.isSteering && ablation.points == [1] && ablation.site == Site(.residPre, layer: 2))
        let result = try CurveRun(
            behaviour: bench.behaviour, sweep: ablation, set: bench.taboo, neutral: bench.plain,
            controls: RandomControls(kind: .random, count: 1), seed: 0
        ).run()
        let plain = try #require(result.neutralBefore?.matched)
        #expect(result.causal(base: plain) == 1 && plain.successes == 0)
        #expect(result.causal(base: try #require(result.before.matched)) == 0)
        #expect(result.causal(base: Proportion(successes: 0, trials: 0)) == nil)
        let point = result.points[0]
        #expect(point.random.count == 1 && point.x == 1 && point.neutral?.rates?.right?.trials == 12)
        #expect(try #require(point.random[0].matched?.value) > 0.5)

        let steering = DirectionSweep.steering(
            bench.direction, strengths: [0, 0.75, 1], site: Site(.residPre, layer: 2))
        #expect(steering.isSteering && steering.points == [0, 0.75, 1] && steering.site == Site(.residPre, layer: 2))
        let steered = try CurveRun(
            behaviour: bench.behaviour, sweep: steering, set: bench.plain, neutral: nil, controls: .none, seed: 0
        ).run()
        #expect(steered.points[0].rates.matched == steered.before.matched && steered.neutralBefore == nil)
        let refused = steered.points.compactMap(\.rates.matched?.successes)
        #expect(refused[0] == 0 && refused.contains { $0 > 0 }, "\(refused)")
        #expect(steered.points[0].neutral == nil && steered.points[0].random.isEmpty)
        // Never reached.
        #expect(CurveRun.Result(before: result.before, neutralBefore: nil, points: []).causal(base: plain) == nil)
        #expect(try steering.directions(1) == bench.direction.prefix(1))
    }

    @Test("given up, it throws and ends its scope")
    func cancelled() throws {
        let told = Told()
        let control = RunControl()
        control.cancel()
        let bench = try Bench(context: .testing(control: control, tell: told.tell), count: 2)
        let sweep = DirectionSweep.steering(bench.direction, strengths: [1], site: Site(.residPre, layer: 2))
        #expect(throws: CancellationError.self) {
            try CurveRun(
                behaviour: bench.behaviour, sweep: sweep, set: bench.taboo, neutral: nil, controls: .none, seed: 0
            ).run()
        }
        #expect(told.isOver)
    }
}

@Suite("Random directions beside others")
struct RandomDirectionsTests {
    @Test("as many, as long, and orthogonal to those that they stand beside", arguments: RandomControls.Kind.allCases)
    func draws(kind: RandomControls.Kind) throws {
        let bench = try Bench(count: 8)
        let site = Site(.residPre, layer: 2)
        let source = try RandomDirections(kind, at: [site], [bench.taboo, bench.plain], bench.behaviour, edits: [])
        var (one, again, other) = (SeededRandom(seed: 1), SeededRandom(seed: 1), SeededRandom(seed: 2))
        let drawn = try source.draw(beside: bench.direction, at: site, &one)
        #expect(drawn.dimension == 1 && abs(drawn.lengths[0] / bench.direction.lengths[0] - 1) < 1e-5)
        #expect(abs(try drawn.cosine(to: bench.direction)) < 1e-5)
        #expect(try source.draw(beside: bench.direction, at: site, &again) == drawn)
        #expect(try source.draw(beside: bench.direction, at: site, &other) != drawn)
        #expect(!kind.summary.isEmpty)
    }

    @Test("where all rows are the same there are none, and of few rows too few")
    func refusals() throws {
        let bench = try Bench(count: 2)
        let site = Site(.residPre, layer: 2)
        // With nothing at the embedding every row of one prompt is as every other there.
        let zero = Replacement(.zero, columns: 0..<128, sites: [Site(.embed)])
        #expect(throws: DirectionsError.sameActivations(Site(.embed))) {
            try RandomDirections(.random, at: [Site(.embed)], [bench.taboo], bench.behaviour, edits: [zero])
        }
        let short = try BehaviourSet("short", promptSet(["the sea and the sand"]), bench.tuned, .testing())
        let source = try RandomDirections(.random, at: [site], [short], bench.behaviour, edits: [])
        var random = SeededRandom(seed: 1)
        let many = try Subspace(
            vectors: Matrix(rows: 100, columns: 128, values: random.normal(count: 12_800).map(Float.init)), site: site)
        #expect(throws: DirectionsError.fewDirections(site, wanted: 100)) {
            try source.draw(beside: many, at: site, &random)
        }
    }
}

@Suite("Activation patching")
struct PatchRunTests {
    private let clean: [Int32]
    private let other: [Int32]
    private let tiny: LoadedCheckpoint

    init() throws {
        tiny = try fixtureModel("tiny-chat")
        clean = Array(try tiny.encode("the sea and the sand there").prefix(6))
        other = Array(try tiny.encode("you are a user of the shore").prefix(6))
        try #require(clean.count == 6 && other.count == 6)
    }

    private func run(_ source: [Int32], _ target: [Int32], context: RunContext = .testing()) -> PatchRun {
        PatchRun(context: context, checkpoint: tiny, source: source, target: target, precision: .f32)
    }

    @Test("a patch from the clean run restores the clean answer, and one from the run itself changes nothing")
    func restores() throws {
        let patch = run(clean, other)
        let (wanted, own) = (try patch.logits(clean), try patch.logits(other))
        #expect(SpotCheck.largestDifference(wanted, own) > 1e-2)
        let last = SiteSelection(Site(.residPost, layer: 1))
        let whole = [SiteSelection(Site(.embed)), SiteSelection(Site(.residPre, layer: 1)), last]
        let found = try patch.sweep(whole, atOnce: true) { SpotCheck.largestDifference($0, wanted) }
        #expect(found.count == 3 && found.allSatisfy { $0.count == 1 && $0[0] < 1e-5 }, "\(found)")
        // At the last layer the last position alone decides.
        let single = try patch.sweep([last], atOnce: false) { SpotCheck.largestDifference($0, wanted) }
        #expect(single[0].count == 6 && single[0][5] < 1e-5)
        #expect(single[0].dropLast().allSatisfy { abs($0 - SpotCheck.largestDifference(own, wanted)) < 1e-5 })
        let nothing = try run(other, other).sweep(whole, atOnce: false) { SpotCheck.largestDifference($0, own) }
        #expect(nothing.joined().allSatisfy { $0 < 1e-5 })
    }

    @Test("a head's patch is that of its columns alone")
    func heads() throws {
        let site = Site(.z, layer: 0)
        let selection = SiteSelection(site, head: 2)
        let context = RunContext.testing()
        let donor = try #require(
            context.rows(tiny, [clean], positions: [Array(clean.indices)], sites: [site], choices: RunChoices())[site])
        let columns = Matrix(rows: 6, columns: 8, values: (0..<6).flatMap { donor.row($0).dropFirst(16).prefix(8) })
        let edit = Replacement(.rows(columns, at: { $0.position }), columns: 16..<24, sites: [site])
        var wanted: [Float] = []
        let request = LogitsRequest(rows: [5]) { _, logits, _ in
            wanted = Array(UnsafeBufferPointer(start: logits, count: 300))
        }
        try context.run(tiny, TokenSequences([other]), edits: [edit], logits: request)
        let found = try run(clean, other).sweep([selection], atOnce: true) { SpotCheck.largestDifference($0, wanted) }
        #expect(found[0][0] < 1e-5)
    }

    @Test("with edits in force the patch comes on top of them, at any number of threads")
    func edits() throws {
        tiny.edits.add(try AblationRequest("mlp_out[0]", command: "", seed: 0).entryOfSites(in: tiny))
        defer { tiny.edits.remove([0]) }
        let told = Told()
        let patch = run(clean, other, context: .testing(tell: told.tell))
        let wanted = try patch.logits(clean)
        let selections = [SiteSelection(Site(.residPost, layer: 1)), SiteSelection(Site(.residPre, layer: 1))]
        let found = try patch.sweep(selections, atOnce: true) { SpotCheck.largestDifference($0, wanted) }
        #expect(found.joined().allSatisfy { $0 < 1e-5 })
        #expect(told.scopes.map(\.done) == [0, 1000] && told.scopes.map(\.total) == [2000, 2000] && told.isOver)
        // What an edit adds at a layer's input is added once.
        let vector = Matrix(rows: 1, columns: 32, values: (0..<32).map { Float($0 % 5) })
        tiny.edits.add(
            try SteeringRequest("r", command: "").entry(
                of: Subspace(vectors: vector, site: Site(.residPre, layer: 1)), in: tiny))
        defer { tiny.edits.remove([1]) }
        let attention = Site(.attnOut, layer: 1)
        let context = RunContext.testing()
        let donor = try #require(
            context.rows(
                tiny, [clean], positions: [Array(clean.indices)], sites: [attention], choices: RunChoices())[attention])
        var steered: [Float] = []
        let request = LogitsRequest(rows: [5]) { _, logits, _ in
            steered = Array(UnsafeBufferPointer(start: logits, count: 300))
        }
        let replaced = Replacement(.rows(donor, at: { $0.position }), columns: 0..<32, sites: [attention])
        try context.run(tiny, TokenSequences([other]), edits: tiny.edits.active + [replaced], logits: request)
        let once = try run(clean, other).sweep([SiteSelection(attention)], atOnce: true) {
            SpotCheck.largestDifference($0, steered)
        }
        #expect(once[0][0] < 1e-5)
        let two = try run(clean, other, context: .testing(threads: 2)).sweep(selections, atOnce: false) {
            Double($0[0])
        }
        #expect(try run(clean, other).sweep(selections, atOnce: false) { Double($0[0]) } == two)
    }

    @Test("given up, it throws; a NaN is named")
    func refusals() throws {
        #expect(throws: CancellationError.self) {
            try run(clean, other, context: .cancelled).sweep(
                [SiteSelection(Site(.embed))], atOnce: true
            ) { Double($0[0]) }
        }
        let bad = PatchRun(
            context: .testing(), checkpoint: try withNaN(fixtureModel("tiny-chat")), source: clean, target: other,
            precision: .f32)
        #expect(throws: WorkbenchError.self) { try bad.logits(clean) }
    }
}

@Suite("Attribution over prompts")
struct AttributionRunTests {
    private func run(
        _ checkpoint: LoadedCheckpoint, answer: Int32? = nil, versus: Int32? = nil, hasHeads: Bool = false,
        context: RunContext = .testing()
    ) throws -> AttributionRun {
        let set = promptSet(["the sea and the sand", "a model", "you are a user"])
        let ids = try checkpoint.encode(set, in: context).ids
        return try AttributionRun(
            context, checkpoint, ids, positions: ids.map { $0.count - 1 }, answer: answer, versus: versus,
            hasHeads: hasHeads, choices: RunChoices())
    }

    @Test("components add up to the answer's logit, and to its difference from another's")
    func sums() throws {
        let tiny = try fixtureModel("tiny-chat")
        for hasHeads in [false, true] {
            let found = try run(tiny, hasHeads: hasHeads)
            #expect(found.residual < 1e-4 && found.values.count == 3 && found.answers.count == 3)
            #expect(found.components.count == found.values[0].count)
        }
        let versus = try run(tiny, answer: 7, versus: 11)
        #expect(versus.residual < 1e-4 && versus.answers == [7, 7, 7])
        let (one, other) = (try run(tiny, answer: 7), try run(tiny, answer: 11))
        for prompt in 0..<3 { #expect(abs(versus.logits[prompt] - one.logits[prompt] + other.logits[prompt]) < 1e-4) }
        let own = try run(tiny, answer: 7, versus: 7)
        #expect(own.values.joined().allSatisfy { $0 == 0 })
    }

    @Test("the answer is the likeliest token where none is named; nulls are those of random tokens")
    func nulls() throws {
        let tiny = try fixtureModel("tiny-chat")
        let found = try run(tiny)
        let component = found.components.count - 1
        #expect(found.random.count == found.components.count && found.random[0].count == AttributionRun.nullTokens)
        let mean = found.random[component].reduce(0, +) / 100
        let null = found.null(component, isDifference: false)
        #expect(abs(null.mean - mean) < 1e-12 && null.halfWidth > 0)
        let difference = found.null(component, isDifference: true)
        #expect(difference.mean == 0 && abs(difference.halfWidth / null.halfWidth - 2.0.squareRoot()) < 1e-9)
        let total = found.null(nil, isDifference: false)
        #expect(
            abs(total.mean - found.components.indices.reduce(0) { $0 + found.null($1, isDifference: false).mean })
                < 1e-9)
        #expect(found.mean(component)?.clusters == 3)
        #expect(found.largest(component) == found.values.map { abs($0[component]) }.max())
        #expect(try run(tiny, context: .testing(threads: 2)).values == found.values)
    }

    @Test("edits in force are a component of their own, and giving up throws")
    func edits() throws {
        let tiny = try fixtureModel("tiny-chat")
        tiny.edits.add(try AblationRequest("resid_pre[1]", command: "", seed: 0).entryOfSites(in: tiny))
        let found = try run(tiny)
        #expect(found.components.contains(.edits) && found.residual < 1e-4)
        #expect(throws: CancellationError.self) { try run(tiny, context: .cancelled) }
        #expect(throws: WorkbenchError.self) { try run(withNaN(fixtureModel("tiny-chat"))) }
    }
}
