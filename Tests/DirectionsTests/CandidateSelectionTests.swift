import Control
import Directions
import LinearAlgebra
import Models
import TerminalText
import Testing
import Workbench

@Suite("Selection of a direction")
struct CandidateSelectionTests {
    /// Half the vocabulary: of random weights, some candidates then score above 0 and some below.
    private let half = Array(stride(from: 0, to: 131, by: 2))

    @Test(
        "every number is that of single runs with the plain edits, on any architecture",
        arguments: ["mha", "qwen2", "gpt-neox"])
    func naive(name: String) throws {
        let fixture = try SelectionFixture(name)
        let found = try fixture.select(score: half) { $0.scoresEvery = true }
        let naive = NaiveSelection(runner: fixture.runner, score: half)
        let (positives, negatives) = (fixture.positives, fixture.negatives)
        #expect(Self.largest(found.base.positive, try naive.scores(positives.validation)) < 1e-5)
        #expect(Self.largest(found.base.negative, try naive.scores(negatives.validation)) < 1e-5)
        let layers = fixture.runner.model.configuration.layers
        #expect(found.candidates.map(\.layer) == (0..<layers).flatMap { [$0, $0, $0] })
        #expect(found.candidates.prefix(3).map(\.position) == [-3, -2, -1])
        var measured = 0
        for candidate in found.candidates {
            let direction = try naive.direction(
                positives.train, negatives.train, layer: candidate.layer, position: candidate.position)
            #expect(Self.largest(candidate.vector, direction) < 1e-5)
            guard candidate.rejections != [.noDirection] else { continue }
            measured += 1
            let ablation = naive.ablating(direction)
            let bypass = try naive.scores(positives.validation, [ablation])
            let divergence = try naive.divergences(negatives.validation, [ablation])
            let steering = Steering(vector: direction.map(Float.init), sites: [candidate.site])
            let induce = try naive.scores(negatives.validation, [steering])
            #expect(Self.largest(try #require(candidate.bypass), bypass) < 1e-5)
            #expect(Self.largest(try #require(candidate.divergence), divergence) < 1e-5)
            #expect(Self.largest(try #require(candidate.induce), induce) < 1e-5)
            var reasons: [DirectionCandidate.Rejection] = []
            if Self.mean(induce) < 0 { reasons.append(.induce) }
            if Self.mean(divergence) > 0.1 { reasons.append(.divergence) }
            #expect(candidate.rejections == reasons)
        }
        // Every prompt ends with one and the same token, which at the first layer has no direction.
        #expect(measured == 3 * layers - 1)
        let kept = found.candidates.indices.filter { found.candidates[$0].isKept }
        let best = kept.min { Self.mean(found.candidates[$0].bypass) < Self.mean(found.candidates[$1].bypass) }
        #expect(found.chosen == best)
    }

    @Test("dropping early changes no number and not the choice, and costs less")
    func early() throws {
        for score in [half, Array(0..<20), Array(0..<129)] {
            let fixture = try SelectionFixture()
            let every = try fixture.select(score: score) { $0.scoresEvery = true }
            let early = try fixture.select(score: score)
            #expect(early.chosen == every.chosen)
            #expect(early.tokenLayers <= every.tokenLayers)
            #expect(every.tokenLayers < every.naiveTokenLayers)
            #expect(early.naiveTokenLayers == every.naiveTokenLayers)
            for (a, b) in zip(early.candidates, every.candidates) {
                #expect(a.isKept == b.isKept)
                #expect(a.induce == b.induce)
                if a.bypass != nil { #expect(a.bypass == b.bypass && a.divergence == b.divergence) }
                #expect((a.bypass == nil) == (a.induce == nil || a.rejections == [.induce]))
            }
        }
    }

    @Test("token-layers are those of the runs")
    func work() throws {
        let fixture = try SelectionFixture()
        let found = try fixture.select(score: Array(0..<129)) {
            $0.positions = [-2]
            $0.divergenceLimit = 100
        }
        let tokens = { (prompts: [[Int32]]) in prompts.reduce(0) { $0 + $1.count } }
        let (p, n) = (tokens(fixture.positives.validation), tokens(fixture.negatives.validation))
        let train = tokens(fixture.positives.train + fixture.negatives.train)
        // Base: 2 layers; means of layers 0 and 1: one layer; the clean stream: one; then for each of two candidates
        // what is left of the layers to add it, and all to ablate.
        #expect(found.candidates.allSatisfy { $0.isKept })
        let added = (2 + 1) * n
        let ablated = 2 * 2 * (p + n)
        let preparation = 2 * (p + n) + train
        #expect(found.tokenLayers == preparation + n + added + ablated)
        #expect(found.naiveTokenLayers == preparation + 2 * 2 * (p + 2 * n))
    }

    @Test("a candidate is out for each of the reasons")
    func reasons() throws {
        let fixture = try SelectionFixture()
        let likely = Array(0..<129)
        let rejections = { (found: SelectedDirection) in Set(found.candidates.flatMap(\.rejections)) }

        let all = try fixture.select(score: likely) { $0.divergenceLimit = 100 }
        #expect(all.candidates.filter { !$0.isKept }.map(\.rejections) == [[.noDirection]])
        #expect(all.candidates.first { !$0.isKept }?.position == -1)

        let none = try fixture.select(score: [5])
        #expect(none.chosen == nil)
        #expect(rejections(none) == [.noDirection, .induce])
        #expect(none.candidates.allSatisfy { $0.bypass == nil })
        #expect(try none.subspace() == nil)

        let far = try fixture.select(score: likely) { $0.divergenceLimit = 0 }
        #expect(far.chosen == nil)
        #expect(rejections(far) == [.noDirection, .divergence])

        // The larger layer is at int(0.8 · 2) = 1.
        let late = try fixture.select(score: likely) {
            $0.prunedShare = 0.2
            $0.divergenceLimit = 100
        }
        for candidate in late.candidates where candidate.layer == 1 {
            #expect(candidate.rejections == [.layer] && candidate.induce == nil && candidate.bypass == nil)
        }
        #expect(late.chosen.map { late.candidates[$0].layer } == 0)

        let overflowing = try fixture.select(score: likely) { $0.strength = 1e300 }
        #expect(rejections(overflowing) == [.noDirection, .notFinite])
        #expect(overflowing.chosen == nil)
    }

    @Test("prompts whose score is on the wrong side are left out")
    func filter() throws {
        let fixture = try SelectionFixture()
        let naive = NaiveSelection(runner: fixture.runner, score: half)
        let keep = { (prompts: [[Int32]], sign: Double) in
            zip(prompts, try naive.scores(prompts)).filter { $0.1 * sign > 0 }.map(\.0)
        }
        let kept = try SelectionSets(
            positive: (keep(fixture.positives.train, 1), keep(fixture.positives.validation, 1)),
            negative: (keep(fixture.negatives.train, -1), keep(fixture.negatives.validation, -1)))
        // Otherwise there would be nothing to see.
        try #require(kept.counts.allSatisfy { $0 > 0 })
        try #require(kept.counts.reduce(0, +) < 32)
        let found = try fixture.select(score: half) {
            $0.filtersPrompts = true
            $0.scoresEvery = true
        }
        var options = CandidateSelection.Options()
        (options.positions, options.filtersPrompts, options.prunedShare, options.scoresEvery) = (
            [-1, -2, -3], false, 0, true
        )
        let plain = try CandidateSelection(
            runner: fixture.runner, positives: kept.positives, negatives: kept.negatives,
            score: TokenScore(tokens: half, vocabulary: 131), options: options
        ).run(control: RunControl())
        #expect(found.candidates == plain.candidates)
        #expect(found.chosen == plain.chosen)
        let counts = kept.counts
        #expect(found.train.positive == counts[0])
        #expect(found.train.negative == counts[2])
        #expect(found.leftOut.positive == 16 - counts[0] - counts[1])
        #expect(found.leftOut.negative == 16 - counts[2] - counts[3])
        #expect(throws: SelectionError.noneLeft(.positive, part: "validation", of: 6)) {
            try fixture.select(score: [5]) { $0.filtersPrompts = true }
        }
    }

    @Test("the same bits on one and two threads, in packs of any size")
    func deterministic() throws {
        let found = try [1, 2].map { threads in
            try SelectionFixture(threads: threads).select(score: half) { $0.scoresEvery = true }
        }
        #expect(found[0] == found[1])
    }

    @Test("what prompts begin with alike is counted")
    func shared() throws {
        let fixture = try SelectionFixture()
        #expect(try fixture.select(score: half).sharedTokens == 0)
        let before: [Int32] = [40, 41, 42, 43]
        let put = { (prompts: CandidateSelection.Prompts) in
            CandidateSelection.Prompts(
                train: prompts.train.map { before + $0 }, validation: prompts.validation.map { before + $0 })
        }
        let (positives, negatives) = (put(fixture.positives), put(fixture.negatives))
        var options = CandidateSelection.Options()
        (options.positions, options.filtersPrompts) = ([-1], false)
        let found = try CandidateSelection(
            runner: fixture.runner, positives: positives, negatives: negatives,
            score: TokenScore(tokens: half, vocabulary: 131), options: options
        ).run(control: RunControl())
        let tokens = (positives.validation + negatives.validation).reduce(0) { $0 + $1.count }
        #expect(found.sharedTokens == 4)
        #expect(found.sharedShare == Double(4 * 11) / Double(tokens))
    }

    @Test("what can't be selected from is refused")
    func refusals() throws {
        let fixture = try SelectionFixture()
        #expect(throws: SelectionError.tooShort(.positive, part: "training", prompt: 0, tokens: 5, position: -6)) {
            try fixture.select(score: half) { $0.positions = [-6] }
        }
        #expect(throws: SelectionError.badPositions([0])) { try fixture.select(score: half) { $0.positions = [0] } }
        #expect(throws: SelectionError.badPositions([-1, -1])) {
            try fixture.select(score: half) { $0.positions = [-1, -1] }
        }
        #expect(throws: SelectionError.self) { try fixture.select(score: half) { $0.prunedShare = 1 } }
        #expect(throws: SelectionError.self) { try fixture.select(score: half) { $0.strength = .nan } }
        #expect(throws: SelectionError.self) { try fixture.select(score: half) { $0.divergenceLimit = .nan } }
        #expect(throws: SelectionError.noPrompts(.negative, part: "validation")) {
            try CandidateSelection(
                runner: fixture.runner, positives: fixture.positives,
                negatives: .init(train: fixture.negatives.train, validation: []),
                score: TokenScore(tokens: half, vocabulary: 131))
        }
        let cancelled = RunControl()
        cancelled.cancel()
        #expect(throws: CancellationError.self) {
            try CandidateSelection(
                runner: fixture.runner, positives: fixture.positives, negatives: fixture.negatives,
                score: TokenScore(tokens: half, vocabulary: 131)
            ).run(control: cancelled)
        }
    }

    @Test("the chosen direction is a subspace at its place")
    func subspace() throws {
        let fixture = try SelectionFixture()
        let found = try fixture.select(score: Array(0..<129)) { $0.divergenceLimit = 100 }
        let candidate = found.candidates[try #require(found.chosen)]
        let subspace = try #require(try found.subspace(recipe: "{\"a\": 1}"))
        #expect(subspace.site == candidate.site)
        #expect(subspace.position == (candidate.position == -1 ? "last" : String(candidate.position)))
        #expect(subspace.vectors.values == candidate.vector.map(Float.init))
        #expect(subspace.recipe == "{\"a\": 1}")
    }

    // MARK: Numbers

    private static func largest(_ a: [Double], _ b: [Double]) -> Double {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    private static func mean(_ values: [Double]?) -> Double {
        guard let values, !values.isEmpty else { return .nan }
        return values.reduce(0, +) / Double(values.count)
    }
}

private struct SelectionSets {
    let positives: CandidateSelection.Prompts
    let negatives: CandidateSelection.Prompts

    init(positive: ([[Int32]], [[Int32]]), negative: ([[Int32]], [[Int32]])) {
        positives = .init(train: positive.0, validation: positive.1)
        negatives = .init(train: negative.0, validation: negative.1)
    }

    var counts: [Int] {
        [positives.train.count, positives.validation.count, negatives.train.count, negatives.validation.count]
    }
}
