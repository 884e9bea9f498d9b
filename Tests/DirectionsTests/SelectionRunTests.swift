import Checkpoints
import LinearAlgebra
import Models
import Sites
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Directions

@Suite("Selection of a direction in a run")
struct SelectionRunTests {
    private func run(
        train: Int? = nil, validation: Int = 6, seed: UInt64 = 0, checkpoint: LoadedCheckpoint? = nil,
        tokens: [String]? = nil, context: RunContext = .testing(),
        _ change: (inout CandidateSelection.Options) -> Void = { _ in }
    ) throws -> SelectionRun.Result {
        var options = CandidateSelection.Options()
        options.positions = [-2, -1]
        change(&options)
        return try selection(train: train, validation, seed, checkpoint, options, context).run(tokens: tokens)
    }

    private func selection(
        train: Int? = nil, _ validation: Int = 6, _ seed: UInt64 = 0, _ checkpoint: LoadedCheckpoint? = nil,
        _ options: CandidateSelection.Options = .init(), _ context: RunContext = .testing()
    ) throws -> SelectionRun {
        try SelectionRun(
            context, checkpoint ?? pearl("tuned"), positives: shippedPrompts("taboo.jsonl", 24, isChat: true),
            negatives: shippedPrompts("plain.jsonl", 24, isChat: true),
            division: .init(train: train, validation: validation, seed: seed), options: options, choices: RunChoices())
    }

    @Test("the refusal of pearl-tuned is found, and without it the refusals' first tokens are gone")
    func found() throws {
        let context = RunContext.testing()
        let result = try run(context: context) { $0.divergenceLimit = 1 }
        let selected = result.selected
        let chosen = try #require(selected.chosen)
        let candidate = selected.candidates[chosen]
        #expect((1...3).contains(candidate.layer), "layer \(candidate.layer)")
        #expect(selected.base.positive.allSatisfy { $0 > 0 } && selected.base.negative.allSatisfy { $0 < 0 })
        #expect(try #require(candidate.meanBypass) < 0 && (candidate.meanInduce ?? -1) >= 0)
        // The tokens were found by what tells the sets apart.
        #expect(result.contrastTokenLayers > 0 && result.tokens.longer.isEmpty)
        for row in result.tokens.rows { #expect(try #require(row.positive) > (row.negative ?? 1)) }
        let subspace = try #require(try selected.subspace())
        #expect(subspace.site == Site(.residPre, layer: candidate.layer) && subspace.negativeMean?.count == 128)
        #expect(context.history.operations > 0)
    }

    @Test("tokens that are named are those of the texts' beginnings, each once")
    func named() throws {
        let result = try run(tokens: ["I", "I cannot", "Sorry"]) { $0.filtersPrompts = false }
        #expect(result.contrastTokenLayers == 0)
        #expect(Set(result.tokens.rows.map(\.id)).count == result.tokens.rows.count)
        #expect(result.tokens.longer.contains("I cannot"))
        #expect(result.tokens.rows.allSatisfy { $0.positive == nil })
        #expect(throws: DirectionsError.emptyToken) { try run(tokens: [""]) }
    }

    @Test("prompts are divided with the seed, none into both parts")
    func division() throws {
        let one = try selection(train: 10, 6, 1)
        for prompts in [one.positives, one.negatives] {
            #expect(prompts.train.count == 10 && prompts.validation.count == 6)
            #expect(Set(prompts.train).isDisjoint(with: prompts.validation))
        }
        #expect(try selection(train: 10, 6, 1).positives.train == one.positives.train)
        #expect(try selection(train: 10, 6, 2).positives.train != one.positives.train)
        // What validation leaves, at most 128.
        #expect(try selection(train: nil, 6).positives.train.count == 18)
        #expect(
            throws: DirectionsError.fewPrompts(set: "taboo.jsonl", count: 24, needed: 26, validation: 6, training: 20)
        ) { try selection(train: 20, 6) }
        #expect(
            throws: DirectionsError.fewPrompts(set: "taboo.jsonl", count: 24, needed: 25, validation: 24, training: 1)
        ) { try selection(train: nil, 24) }
    }

    @Test("the same bits at one thread and at two")
    func threads() throws {
        let found = try [1, 2].map { try run(context: .testing(threads: $0)) { $0.positions = [-1] } }
        #expect(found[0].selected == found[1].selected)
        #expect(found[0].tokens.rows.map(\.positive) == found[1].tokens.rows.map(\.positive))
    }

    @Test("edits in force, a NaN and giving up are refused")
    func refusals() throws {
        let tuned = try pearl("tuned")
        tuned.edits.add(try AblationRequest("mlp_out[0]", command: "", seed: 0).entryOfSites(in: tuned))
        #expect(throws: DirectionsError.editsInForce) { try run(checkpoint: tuned) }
        #expect(throws: CancellationError.self) { try run(context: .cancelled) }
        for tokens in [nil, ["I"]] {
            let error = #expect(throws: WorkbenchError.self) {
                try run(checkpoint: withNaN(pearl("tuned")), tokens: tokens)
            }
            guard case .badTensor(_, "model.norm.weight", nans: 1, infinities: 0)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let small = MemoryLimit(bytes: 1000, name: "m")
        #expect(throws: WorkbenchError.self) { try run(context: .testing(memory: small)) }
    }

    @Test("options that can't be are refused before anything runs")
    func options() throws {
        func error(_ change: (inout CandidateSelection.Options) -> Void) -> SelectionError? {
            #expect(throws: SelectionError.self) { try run(tokens: ["I"], change) }
        }
        #expect(error { $0.positions = [] } == .badPositions([]))
        #expect(error { $0.positions = [-1, -1] } == .badPositions([-1, -1]))
        #expect(error { $0.positions = [0] } == .badPositions([0]))
        #expect(error { $0.strength = 0 } == .badOption(name: "the strength", problem: "must be a number other than 0"))
        #expect(error { $0.divergenceLimit = -1 } == .badOption(name: "the limit of KL", problem: "must be 0 or more"))
        #expect(error { $0.prunedShare = 1 } != nil)
        // A prompt that is too short is called by its place in its set, whatever the division made of it.
        let short = #expect(throws: DirectionsError.self) { try run(tokens: ["I"]) { $0.positions = [-200] } }
        guard case .shortPrompt(let prompt, _, position: -200)? = short else {
            Issue.record("\(String(describing: short))")
            return
        }
        #expect(prompt.hasPrefix("prompt ") && prompt.hasSuffix(" of taboo.jsonl"))
    }
}
