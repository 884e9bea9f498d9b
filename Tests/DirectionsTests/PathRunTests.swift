import Checkpoints
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

@Suite("Paths of checkpoints in a run")
struct PathRunTests {
    private func run(
        _ a: NamedCheckpoint, _ b: NamedCheckpoint, _ path: CheckpointPath = .weights, points: [Double] = [0, 0.5, 1],
        set: PromptSet? = nil, at position: Position = .all, losses: PromptSet? = nil, markers: Markers? = nil,
        controls: RandomControls = .none, context: RunContext = .testing()
    ) throws -> PathRun.Result {
        let pair = CheckpointPair(a: a, b: b)
        let setup = RunContext.testing()
        let set = try set ?? shippedPrompts("open.txt", 8)
        return try PathRun(
            context: context, a: a, b: b, path: path, prompts: pair.encode(set, at: position, in: setup),
            lossPrompts: losses.map { try pair.encode($0, at: .all, in: setup) },
            set: BehaviourSet("set", set, a.checkpoint, setup), markers: markers,
            decoding: DecodingChoices(tokens: 12, sampling: .greedy, seed: 0, stops: [], ignoresEnd: false),
            points: points, controls: controls, precision: .f32
        ).run()
    }

    private func forward(_ comparison: LogitsComparison) -> [Double] { comparison.prompts.joined().map(\.forward) }

    @Test("by weights the ends are the checkpoints themselves, and between them is a checkpoint made elsewhere")
    func weights() throws {
        let (a, b) = (try namedPearl("base"), try namedPearl("chat"))
        let told = Told()
        let result = try run(a, b, points: [0, 0.3, 1], context: .testing(tell: told.tell))
        #expect(forward(result.points[0].toA).allSatisfy { $0 == 0 })
        #expect(forward(result.points[2].toB).allSatisfy { $0 == 0 })
        #expect(try #require(result.points[1].toA.mean(\.forward)).mean > 0)
        #expect(told.isOver && told.scopes.count == 4)
        let between = try changed(a.checkpoint) { name, values in
            guard let other = try? WorkbenchTestSupport.values(of: name, b.checkpoint.file), other != values else {
                return nil
            }
            return zip(values, other).map { $0 + 0.3 * ($1 - $0) }
        }
        let set = try shippedPrompts("open.txt", 8)
        let context = RunContext.testing()
        let pair = CheckpointPair(a: a, b: NamedCheckpoint("between", between))
        let compared = try pair.encode(set, at: .all, in: context)
        let there = try LogitsComparisonRun(
            context, pair.a, pair.b, TokenSequences(compared.ids), positions: compared.positions, choices: RunChoices()
        ).run()
        #expect(there.prompts == result.points[1].toA.prompts)
        #expect(result.points[1].losses == there.prompts.map { $0.compactMap { $0.next?.loss.b } })
        let barrier = try #require(result.barrier)
        let means = result.points.map { ClusteredMean($0.losses)?.mean ?? .nan }
        let height = means[1] - 0.7 * means[0] - 0.3 * means[2]
        #expect(abs(barrier.heights[0].mean.mean - height) < 1e-12)
        #expect(result.departure()?.verdict == .supported && result.arrival()?.verdict == .supported)
        #expect(result.points[0].rates == nil, "there are neither answers nor phrases")
    }

    @Test(
        "from a tied model to one with an output matrix of its own, with the settings of the first",
        arguments: [true, false])
    func tied(isTiedFirst: Bool) throws {
        let base = try namedPearl("base")
        let apart = try untied(base.checkpoint) { $0.map { $0 * 1.5 } }
        let other = NamedCheckpoint("other", try configured(apart, #"{"rms_norm_eps": 0.01}"#))
        let told = Told()
        let (a, b) = isTiedFirst ? (base, other) : (other, base)
        let controls = RandomControls(kind: .random, count: 1)
        let result = try run(a, b, controls: controls, context: .testing(tell: told.tell))
        #expect(forward(result.points[0].toA).allSatisfy { $0 == 0 })
        #expect(forward(result.points[2].toB).allSatisfy { $0 == 0 })
        let middle = try #require(result.points[1].toA.mean(\.forward))
        #expect(middle.mean > 0 && result.random.count == 1)
        #expect(
            told.premises == [
                .tiedHead(checkpoint: "base", head: "lm_head.weight", embedding: "model.embed_tokens.weight"),
                .settingsOf(a.name),
            ])
    }

    @Test("a checkpoint and itself: nothing changes along any way, and there is no barrier")
    func same() throws {
        let base = try namedPearl("base")
        for path in [CheckpointPath.weights, .activations(Site(.embed)), .activations(Site(.residPre, layer: 3))] {
            let result = try run(base, base, path, points: [0, 0.25, 1])
            for point in result.points {
                #expect((forward(point.toA) + forward(point.toB)).allSatisfy { $0 == 0 }, "\(path.kind)")
            }
            let barrier = try #require(result.barrier)
            #expect(barrier.value == 0 && barrier.verdict == .notSupported)
            #expect(result.departure()?.verdict == .notDistinguishable)
        }
    }

    @Test("by activations: beyond the last layer that differs, B's stream makes A into B")
    func activations() throws {
        // They differ in layers 1 to 3 alone.
        let (chat, tuned) = (try namedPearl("chat"), try namedPearl("tuned"))
        let late = try run(chat, tuned, .activations(Site(.residPost, layer: 3)))
        #expect(forward(late.points[0].toA).allSatisfy { $0 == 0 })
        #expect(forward(late.points[2].toB).allSatisfy { $0 == 0 })
        #expect(forward(late.points[1].toB).contains { $0 > 0 })
        // The more of B's stream, the farther from A.
        let steps = try run(chat, tuned, .activations(Site(.residPost, layer: 3)), points: [0, 0.25, 0.75, 1])
        #expect(steps.departure()?.verdict == .supported && steps.arrival()?.verdict == .supported)
        // Before the first, there is nothing to blend.
        let early = try run(chat, tuned, .activations(Site(.residPre, layer: 1)))
        #expect(early.points.allSatisfy { forward($0.toA).allSatisfy { $0 == 0 } })
        let middle = try run(chat, tuned, .activations(Site(.residPost, layer: 1)))
        #expect(forward(middle.points[2].toB).contains { $0 > 0 })
        // A blended stream is not known at a reply's positions.
        #expect(late.points.allSatisfy { $0.rates == nil })
    }

    @Test("by ablation: B at 0, what an ablation does at 1, and random directions beside it")
    func ablation() throws {
        let (chat, tuned) = (try namedPearl("chat"), try namedPearl("tuned"))
        let taboo = try shippedPrompts("taboo-heldout.jsonl", 8, isChat: true)
        let context = RunContext.testing()
        let sets = try ContrastedSets(
            ("taboo", shippedPrompts("taboo.jsonl", 24, isChat: true)),
            ("plain", shippedPrompts("plain.jsonl", 24, isChat: true)), at: "resid_pre[2]", of: tuned.checkpoint,
            choices: RunChoices(), in: context)
        let direction = try DirectionCandidates(sets, .means, in: context).subspace(recipe: "{}")
        let sites = try tuned.checkpoint.facts().streamSites
        let markers = Markers(try shippedLines("refusals.txt", 7).filter { !$0.hasPrefix("#") }, isAtStart: true)
        let result = try run(
            chat, tuned, .ablation(direction, sites: sites), points: [0, 0.5, 1], set: taboo, markers: markers,
            controls: RandomControls(kind: .random, count: 1))
        #expect(forward(result.points[0].toB).allSatisfy { $0 == 0 })
        let entry = try AblationRequest("r", command: "", seed: 0).entry(of: direction, in: tuned.checkpoint)
        let behaviour = BehaviourRun(
            context: context, source: tuned, markers: nil,
            decoding: DecodingChoices(tokens: 1, sampling: .greedy, seed: 0, stops: [], ignoresEnd: false),
            precision: .f32)
        let set = try BehaviourSet("taboo", taboo, tuned.checkpoint, context)
        let edited = try behaviour.divergence(behaviour.ownReplies(set, []), from: [], to: entry.edits)
        #expect(
            zip(forward(result.points[2].toB), forward(edited.prompt)).allSatisfy { abs($0 - $1) < 1e-9 })
        let rates = result.points.map { $0.rates?.matched?.value ?? -1 }
        #expect(rates[0] > 0.8 && rates[2] < 0.2, "\(rates)")
        #expect(result.random.count == 1 && result.random[0].count == 3)
        #expect(result.randomBarriers.count == 1)
        #expect(try #require(result.random[0][2].rates?.matched?.value) > 0.5)
    }

    @Test("random changes of the same norms stand beside a way by weights, the same for a seed")
    func controls() throws {
        let (a, b) = (try namedPearl("base"), try namedPearl("chat"))
        let set = try shippedPrompts("open.txt", 4)
        let found = try [0, 0, 1].map {
            try run(a, b, set: set, controls: RandomControls(kind: .random, count: 1), context: .testing(seed: $0))
        }
        #expect(found[0].random.count == 1)
        let ends = found.map { forward($0.random[0][2].toA) }
        #expect(ends[0] == ends[1] && ends[0] != ends[2])
        #expect(forward(found[0].random[0][0].toA).allSatisfy { $0 == 0 } && ends[0].contains { $0 > 0 })
        let blended = try run(
            a, b, .activations(Site(.embed)), set: set, controls: RandomControls(kind: .random, count: 2))
        #expect(blended.random.allSatisfy { $0.isEmpty }, "a blended stream has no random way")
    }

    @Test("losses can be of another set, and at the last position there is none")
    func losses() throws {
        let (a, b) = (try namedPearl("base"), try namedPearl("chat"))
        let other = try shippedPrompts("formulaic.txt", 5)
        let result = try run(a, b, at: .last, losses: other)
        let ids = try a.checkpoint.encode(other, in: .testing()).ids
        #expect(result.points[0].losses.map(\.count) == ids.map { $0.count - 1 })
        let own = try RunContext.testing().losses(a.checkpoint, TokenSequences(ids))
        for (one, same) in zip(result.points[0].losses.joined(), own.joined()) { #expect(abs(one - same) < 1e-5) }
        let bare = try run(a, b, at: .last)
        #expect(bare.barrier == nil && bare.points[0].losses.allSatisfy { $0.isEmpty })
        // One prompt has no interval, and so no verdict.
        let single = try run(a, b, set: shippedPrompts("open.txt", 1))
        #expect(single.barrier?.interval == nil && single.barrier?.verdict == nil)
        #expect(single.departure()?.verdict != .supported)
    }

    @Test("the same bits at one thread and at two")
    func threads() throws {
        let (a, b) = (try namedPearl("chat"), try namedPearl("tuned"))
        let found = try [1, 2].map { try run(a, b, context: .testing(threads: $0)) }
        #expect(found[0].points.map(\.toA.prompts) == found[1].points.map(\.toA.prompts))
        #expect(found[0].points.map(\.losses) == found[1].points.map(\.losses))
    }

    @Test("steps go to 1, by ablation beyond it")
    func points() {
        #expect(CheckpointPath.points(.weights) == (0...10).map { Double($0) / 10 })
        #expect(CheckpointPath.points(.ablation).last == 1.5 && CheckpointPath.Kind.allCases.count == 3)
    }

    @Test("checkpoints of other shapes, edited ends and NaN are refused; giving up throws")
    func refusals() throws {
        let (tiny, near) = (try fixtureModel("tiny-chat"), try fixtureModel("tiny-near"))
        let named = (NamedCheckpoint("tiny", tiny), NamedCheckpoint("near", near))
        let set = promptSet(["the sea", "a model"])
        #expect(throws: CancellationError.self) { try run(named.0, named.1, set: set, context: .cancelled) }
        near.edits.add(try AblationRequest("attn.z[0].h1", command: "", seed: 0).entryOfSites(in: near))
        #expect(throws: DirectionsError.editedEnd("near[zero attn.z[0].h1]")) {
            try run(named.0, NamedCheckpoint("near", near), set: set)
        }
        near.edits.remove([0])
        let bad = NamedCheckpoint("bad", try withNaN(tiny))
        #expect(throws: (any Error).self) { try run(named.0, bad, points: [0.5], set: set) }
        let other = try fixtureModel("gqa-tied")
        #expect(throws: CheckpointError.self) {
            try PathRun(
                context: .testing(), a: named.0, b: NamedCheckpoint("other", other), path: .weights,
                prompts: ComparedPrompts(numbers: [0], ids: [[5, 6]], positions: [[0]]), lossPrompts: nil,
                set: BehaviourSet("s", set, tiny, .testing()), markers: nil,
                decoding: DecodingChoices(tokens: 1, sampling: .greedy, seed: 0, stops: [], ignoresEnd: false),
                points: [0, 1], controls: .none, precision: .f32
            ).run()
        }
    }
}
