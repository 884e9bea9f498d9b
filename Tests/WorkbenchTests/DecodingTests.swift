import Control
import LinearAlgebra
import Models
import Sites
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

@Suite("Going on with texts")
struct DecodingTests {
    private static func choices(
        _ tokens: Int, _ sampling: Sampling = .greedy, seed: UInt64 = 0, stops: [String] = [], ignoresEnd: Bool = true
    ) -> DecodingChoices {
        DecodingChoices(tokens: tokens, sampling: sampling, seed: seed, stops: stops, ignoresEnd: ignoresEnd)
    }

    private static let drawn = Sampling(temperature: 1)

    private func texts(
        _ checkpoint: LoadedCheckpoint, _ set: PromptSet, count: Int = 1, _ choices: DecodingChoices, threads: Int = 2
    ) throws -> [String] {
        let ids = try checkpoint.encode(set, in: .testing()).ids
        let decoding = try Decoding(
            NamedCheckpoint("tiny", checkpoint), ids, set: set, count: count, choices: choices)
        try decoding.run(.testing(threads: threads), precision: .f32)
        _ = decoding.made.finish()
        return decoding.made.wholeTexts
    }

    @Test("greedy continuations are the likeliest tokens, one after another")
    func greedy() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try tiny.encode("the sea")
        let context = RunContext.testing()
        let decoding = try Decoding(
            NamedCheckpoint("tiny", tiny), [ids], set: nil, choices: Self.choices(5), hasScores: true)
        var shown = ""
        try decoding.run(context, precision: .f32) { shown += $0 }
        shown += decoding.made.finish()
        let made = decoding.made.results[0]
        var soFar = ids
        for token in made.tokens {
            let found = try context.answer(tiny, after: soFar)
            #expect(found.top(1) == [Int(token.id)] && token.rank == 1)
            #expect(abs(found.surprise(Int(token.id)) + token.logProbability) < 1e-4)
            soFar.append(token.id)
        }
        #expect(made.tokens.count == 5 && decoding.made.newTokens == 5)
        #expect(decoding.made.isSingle && decoding.made.begun == [0] && decoding.made.hasScores)
        #expect(made.end == "cut off")
        #expect(try tiny.tokenizer().decode(made.tokens.map(\.id)) == shown && shown == decoding.made.wholeTexts[0])
    }

    @Test("drawn texts are those of their seed, at any number of threads and beside others or alone")
    func seeds() throws {
        let tiny = try fixtureModel("tiny-chat")
        let set = promptSet(["the sea", "a model"])
        let one = try texts(tiny, set, count: 3, Self.choices(6, Self.drawn, seed: 5), threads: 1)
        #expect(one.count == 6 && Set(one).count == 6)
        #expect(try texts(tiny, set, count: 3, Self.choices(6, Self.drawn, seed: 5)) == one)
        #expect(try texts(tiny, set, count: 3, Self.choices(6, Self.drawn, seed: 6)) != one)
    }

    @Test("a stop string ends the text before it, and a special token's name ends it as a token")
    func stops() throws {
        let tiny = try fixtureModel("tiny-chat")
        let set = promptSet(["the sea"])
        let whole = try texts(tiny, set, Self.choices(8))[0]
        let stop = String(try #require(whole.dropFirst(2).first))
        let cut = try texts(tiny, set, Self.choices(8, stops: [stop]))[0]
        #expect(!cut.contains(stop) && whole.hasPrefix(cut + stop))
        let options = try Self.choices(8, stops: ["<|im_start|>"], ignoresEnd: false).options(tiny)
        // config.json's own end, and the token that was named.
        #expect(options.endTokens == [2, 1] && options.limit == 8)
        #expect(try Self.choices(8, ignoresEnd: true).options(tiny).endTokens.isEmpty)
    }

    @Test("edits change what is said, and those of a name come before those in force")
    func edits() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try tiny.encode("the sea")
        func text(_ edits: [any Edit]?) throws -> String {
            let decoding = try Decoding(
                NamedCheckpoint(name: "tiny", checkpoint: tiny, edits: edits), [ids], set: nil,
                choices: Self.choices(6))
            try decoding.run(.testing(), precision: .f32)
            _ = decoding.made.finish()
            return decoding.made.wholeTexts[0]
        }
        let plain = try text(nil)
        tiny.edits.add(try AblationRequest("mlp_out[*]", command: "", seed: 0).entryOfSites(in: tiny))
        #expect(try text(nil) != plain)
        #expect(try text([]) == plain)
    }

    @Test("several decodings have one progress")
    func several() throws {
        let tiny = try fixtureModel("tiny-chat")
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let decodings = try ["the sea", "a"].map {
            try Decoding(NamedCheckpoint("tiny", tiny), [tiny.encode($0)], set: nil, choices: Self.choices(3))
        }
        try context.run([decodings[0]], precision: .f32)
        #expect(told.events.isEmpty)
        try context.run(decodings, precision: .f32)
        #expect(told.scopes.map(\.done) == [0, 3] && told.scopes.map(\.total) == [6, 6] && told.isOver)
    }

    @Test("too many continuations, too many tokens and too long a text are refused before anything runs")
    func refusals() throws {
        let tiny = try fixtureModel("tiny-chat")
        let named = NamedCheckpoint("tiny", tiny)
        #expect(
            throws: WorkbenchError.tooManyContinuations(600_000, prompts: 2, most: 1_000_000)
        ) {
            try Decoding(named, [[5], [6]], set: nil, count: 600_000, choices: Self.choices(1))
        }
        #expect(throws: WorkbenchError.tooManyTokens(limit: 128)) {
            try Decoding(named, [[5]], set: nil, choices: Self.choices(129))
        }
        #expect(throws: ModelError.self) {
            try Decoding(named, [[Int32](repeating: 5, count: 200)], set: nil, choices: Self.choices(1))
        }
    }

    @Test("one that is given up keeps what there is by then")
    func cancelled() throws {
        let tiny = try fixtureModel("tiny-chat")
        let decoding = try Decoding(
            NamedCheckpoint("tiny", tiny), [try tiny.encode("the sea")], set: promptSet(["the sea"]),
            choices: Self.choices(50))
        let control = RunControl()
        var pieces = 0
        #expect(throws: CancellationError.self) {
            try decoding.run(.testing(control: control), precision: .f32) { _ in
                pieces += 1
                if pieces == 3 { control.cancel() }
            }
        }
        let made = decoding.made.results[0]
        #expect(!decoding.made.isSingle && (3..<50).contains(made.tokens.count))
        #expect(made.end == "interrupted")
    }

    @Test("a NaN is named by its tensor")
    func notFinite() throws {
        let bad = try withNaN(fixtureModel("tiny-chat"))
        let decoding = try Decoding(NamedCheckpoint("bad", bad), [[5, 6]], set: nil, choices: Self.choices(2))
        let error = #expect(throws: WorkbenchError.self) { try decoding.run(.testing(), precision: .f32) }
        guard case .badTensor(_, "model.norm.weight", nans: 1, infinities: 0)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
