import Control
import Foundation
import LinearAlgebra
import Models
import Sites
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

@Suite("What studies run models with")
struct RunContextTests {
    private static let texts = ["the sea and the sand", "a model", "you are a user of the shore"]

    private static func ids(_ checkpoint: LoadedCheckpoint) throws -> [[Int32]] {
        try checkpoint.encode(promptSet(texts), in: .testing()).ids
    }

    @Test("a loss is what the answer before a token says of it, at any number of threads")
    func losses() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try Self.ids(tiny)
        let context = RunContext.testing()
        let sequences = TokenSequences(ids)
        let found = try context.losses(tiny, sequences)
        #expect(found.map(\.count) == ids.map { $0.count - 1 })
        var answers: [Distribution] = []
        let request = RowLogits.request(Array(0..<sequences.tokens.count), vocabulary: 300) { _, logits in
            answers.append(try Distribution(logits))
        }
        try context.run(tiny, sequences, logits: request)
        for prompt in ids.indices {
            for position in 0..<ids[prompt].count - 1 {
                let answer = answers[sequences.starts[prompt] + position]
                #expect(abs(found[prompt][position] - answer.surprise(Int(ids[prompt][position + 1]))) < 1e-9)
            }
        }
        #expect(try RunContext.testing(threads: 2).losses(tiny, sequences) == found)
        #expect(context.history.operations > 0)
    }

    @Test("rows are those of single prompts, and a mean is that of a prompt's rows")
    func rows() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try Self.ids(tiny)
        let context = RunContext.testing()
        let site = Site(.residPost, layer: 1)
        let all = ids.map { Array($0.indices) }
        let together = try #require(
            context.rows(tiny, ids, positions: all, sites: [site, Site(.embed)], choices: RunChoices())[site])
        #expect(together.rows == ids.reduce(0) { $0 + $1.count } && together.columns == 32)
        var start = 0
        let means = try #require(
            context.rows(tiny, ids, positions: all, isMean: true, sites: [site], choices: RunChoices())[site])
        for prompt in ids.indices {
            let alone = try #require(
                context.rows(tiny, [ids[prompt]], positions: [all[prompt]], sites: [site], choices: RunChoices())[site])
            let part = together.values[start * 32..<(start + ids[prompt].count) * 32]
            #expect(zip(part, alone.values).allSatisfy { abs($0 - $1) < 1e-5 })
            start += ids[prompt].count
            for (column, mean) in alone.columnMeans.enumerated() {
                #expect(abs(Double(means[prompt, column]) - mean) < 1e-5)
            }
        }
    }

    @Test("a checkpoint with edits of its name is run with those, and without any with what is in force")
    func edits() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try Self.ids(tiny)
        let context = RunContext.testing()
        let site = Site(.mlpOut, layer: 0)
        let zero = Replacement(.zero, columns: 0..<32, sites: [site])
        func row(_ source: NamedCheckpoint) throws -> [Float] {
            try context.rows(source, ids, positions: ids.map { [$0.count - 1] }, sites: [site], choices: RunChoices())[
                site]?.values ?? []
        }
        #expect(try row(NamedCheckpoint(name: "t", checkpoint: tiny, edits: [zero])).allSatisfy { $0 == 0 })
        #expect(try row(NamedCheckpoint("t", tiny)).contains { $0 != 0 })
        tiny.edits.add(try AblationRequest("mlp_out[0]", command: "ablate mlp_out[0]", seed: 0).entryOfSites(in: tiny))
        let named = NamedCheckpoint("t", tiny)
        #expect(named.name == "t[zero mlp_out[0]]")
        #expect(try row(named).allSatisfy { $0 == 0 })
        #expect(try row(NamedCheckpoint(name: "t", checkpoint: tiny, edits: [])).contains { $0 != 0 })
    }

    @Test("sites of rows are listed once each, in the order of computation; patterns and logits have none")
    func rowSites() throws {
        let facts = try fixtureModel("tiny-chat").facts()
        #expect(
            try facts.rowSites("resid_post[*],embed,resid_post[0]")
                == [Site(.embed), Site(.residPost, layer: 0), Site(.residPost, layer: 1)])
        #expect(throws: WorkbenchError.notRows(Site(.logits))) { try facts.rowSites("logits") }
        #expect(throws: WorkbenchError.notRows(Site(.pattern, layer: 0))) {
            try facts.rowSites("attn.pattern[0]")
        }
    }

    @Test("positions of words are those of the token that ends their first occurrence")
    func words() throws {
        let words = try fixtureModel("tiny-words")
        let texts = ["The capital of France is", "is it"]
        let ids = try texts.map { try words.encode($0) }
        let context = RunContext.testing()
        let found = try context.positions(
            .token("capital"), words, words.encode(promptSet([texts[0]]), in: context), includesLeading: true)
        let tokenizer = try words.tokenizer()
        let before = tokenizer.decode(Array(ids[0][...found[0][0]]), skipSpecialTokens: true)
        #expect(before.hasSuffix("capital") && found[0].count == 1)
        // Without texts the tokens are decoded, and BOS is left out of all unless it is asked for.
        #expect(ids[0][0] == 1)
        #expect(try words.leadingTokens(of: ids[0]) == 1 && words.leadingTokens(of: [5]) == 0)
        #expect(try context.positions(.all, words, ids: ids, includesLeading: false).map(\.first) == [1, 1])
        #expect(try context.positions(.all, words, ids: ids, includesLeading: true).map(\.first) == [0, 0])
        #expect(throws: SiteError.self) {
            try context.positions(
                .token("nowhere"), words, words.encode(promptSet(texts), in: context), includesLeading: false)
        }
        #expect(throws: SiteError.self) {
            try context.positions(.token("The capital of France is it so"), words, ids: ids, includesLeading: false)
        }
    }

    @Test("how far bf16 is from the reference is measured once for a prompt, and not at all for f32")
    func rounding() throws {
        let tiny = try fixtureModel("tiny-chat")
        let context = RunContext.testing()
        let ids = try tiny.encode("the sea")
        #expect(try context.roundingNotes(tiny, ids, .f32).isEmpty)
        let notes = try context.roundingNotes(tiny, ids, .bf16)
        #expect(
            notes.count == 1 && notes[0].hasPrefix("bf16: at the first prompt's last token logits differ from f32's"))
        let operations = context.history.operations
        #expect(try context.roundingNotes(tiny, ids, .bf16) == notes)
        #expect(context.history.operations == operations && context.history.roundings.count == 1)
        let long = try context.roundingNotes(tiny, [Int32](repeating: 7, count: 100), .bf16)
        #expect(long[0].contains("at token 63 of the first prompt"))
    }

    @Test("a NaN is named by the tensor that holds it; an edit that makes one, by its name")
    func notFinite() throws {
        let bad = try withNaN(fixtureModel("tiny-chat"))
        let context = RunContext.testing()
        let error = #expect(throws: WorkbenchError.self) { try context.losses(bad, TokenSequences([[5, 6]])) }
        guard case .badTensor(_, "model.norm.weight", nans: 1, infinities: 0)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let tiny = try fixtureModel("tiny-chat")
        let vector = Matrix(rows: 1, columns: 32, values: [Float](repeating: 1, count: 32))
        var request = SteeringRequest("r", command: "steer")
        request.strength = 3e38
        tiny.edits.add(try request.entry(of: Subspace(vectors: vector, site: Site(.residPre, layer: 0)), in: tiny))
        let edited = #expect(throws: WorkbenchError.self) { try context.losses(tiny, TokenSequences([[5, 6]])) }
        guard case .notFiniteWithEdits(_, edits: "[+3e+38r]")? = edited else {
            Issue.record("\(String(describing: edited))")
            return
        }
        // Finite weights that overflow by themselves.
        let large = try changed(fixtureModel("tiny-chat")) { name, values in
            name.hasSuffix("down_proj.weight") ? values.map { $0 * 1e37 } : nil
        }
        let overflow = #expect(throws: WorkbenchError.self) { try context.losses(large, TokenSequences([[5, 6]])) }
        guard case .overflow? = overflow else {
            Issue.record("\(String(describing: overflow))")
            return
        }
    }

    @Test("a run that is given up throws")
    func cancelled() throws {
        let tiny = try fixtureModel("tiny-chat")
        #expect(throws: CancellationError.self) { try RunContext.cancelled.losses(tiny, TokenSequences([[5, 6]])) }
        #expect(throws: CancellationError.self) { try RunContext.cancelled.steps(1)({ 1 }) }
    }

    // MARK: Memory and time

    @Test("in little memory the same numbers; in too little, what is needed is said, and is enough")
    func memory() throws {
        let tiny = try fixtureModel("tiny-chat")
        let sequences = TokenSequences(try Self.ids(tiny))
        let whole = try RunContext.testing().losses(tiny, sequences)
        let small = MemoryLimit(bytes: 1000, name: "the test's limit")
        let error = #expect(throws: WorkbenchError.self) {
            try RunContext.testing(memory: small).losses(tiny, sequences)
        }
        guard case .smallLimit(small, let longest, let smallest)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(longest == sequences.longest && smallest > 1000)
        #expect("\(try #require(error))".contains("the test's limit 1kB is too small: the longest prompt has"))
        let enough = MemoryLimit(bytes: (smallest + 999_999) / 1_000_000 * 1_000_000, name: "m")
        #expect(try RunContext.testing(memory: enough).losses(tiny, sequences) == whole)
        // A command's own limit comes first.
        let choices = RunChoices(memory: enough)
        #expect(try RunContext.testing(memory: small).losses(tiny, sequences, choices: choices) == whole)
        var task = RunTask(sequences)
        task.choices = RunChoices(memory: enough)
        task.resultBytes = .max
        #expect(throws: WorkbenchError.self) { try RunContext.testing().plan(task, tiny) }
    }

    @Test("an estimate by a probe has the operations of the run, and one by an earlier run its speed")
    func estimates() throws {
        let tiny = try fixtureModel("tiny-chat")
        let context = RunContext.testing()
        var task = RunTask(TokenSequences(try Self.ids(tiny)))
        task.last = Site(.residPost, layer: 1)
        #expect(try context.estimate(task, tiny, worthProbing: .infinity) == nil)
        let probed = try #require(try context.estimate(task, tiny, worthProbing: 0))
        #expect(try context.cost(task, tiny).operations == probed.operations && probed.sweeps == 1)
        #expect(probed.low > 0 && probed.high > probed.low && probed.source.hasPrefix("a probe: "))
        #expect(probed.seconds == (probed.low * probed.high).squareRoot() && probed.memoryBytes > 0)
        context.history.speeds.note(tiny, operations: 2e9, seconds: 2)
        // One that is much shorter says less, and one of no time nothing.
        context.history.speeds.note(tiny, operations: 1e8, seconds: 1)
        context.history.speeds.note(tiny, operations: 1e10, seconds: 0.01)
        #expect(context.history.speeds.speed(tiny)?.perSecond == 1e9)
        let known = try #require(try context.estimate(task, tiny, worthProbing: .infinity))
        #expect(known.low == 0.8 * known.operations / 1e9 && known.high == 1.25 * known.operations / 1e9)
        #expect(known.source == "1 GFLOP/s of an earlier run of this session")
    }

    @Test(
        "ranges of time are in the unit that suits their end",
        arguments: [
            (1.0, 20.0, "1 to 20 s"), (60, 120, "1 to 2 min"), (3600, 7200, "1 to 2 h"), (30, 30, "30 s"),
        ])
    func ranges(low: Double, high: Double, text: String) { #expect(RunEstimate.range(low, high) == text) }

    @Test("a run that will be long is announced to whoever wants to know")
    func announcements() throws {
        let tiny = try fixtureModel("tiny-chat")
        let sequences = TokenSequences(try Self.ids(tiny))
        var task = RunTask(sequences)
        task.last = Site(.residPost, layer: 1)
        for wants in [false, true] {
            let told = Told()
            let context = RunContext.testing(wantsEstimates: wants, tell: told.tell)
            // So slow a machine that any run is long.
            context.history.speeds.note(tiny, operations: 1, seconds: 1)
            try context.announce([(task, tiny), (task, tiny)])
            guard wants else {
                #expect(told.events.isEmpty)
                continue
            }
            guard case .estimate(let low, let high, let prompts, let tokens, let runs)? = told.events.last else {
                Issue.record("\(told.events)")
                continue
            }
            #expect(low < high && prompts == 3 && tokens == sequences.tokens.count && runs == 2)
        }
    }

    @Test("parts and steps tell how much of the whole is done, and that it is over")
    func progress() throws {
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        var places: [Int] = []
        context.parts([2, 3, 5]) { places.append($0) }
        #expect(
            places == [0, 1, 2] && told.scopes.map(\.done) == [0, 2, 5] && told.scopes.allSatisfy { $0.total == 10 })
        #expect(told.isOver)
        let steps = context.steps(4)
        #expect(try steps { 7 } == 7)
        #expect(try steps { 8 } == 8)
        #expect(told.scopes.suffix(2).map(\.done) == [0, 1000] && told.scopes.last?.total == 4000)
    }

    @Test("time goes on, and a process uses time and memory")
    func clock() {
        let start = Clock.seconds()
        let usage = Clock.usage()
        #expect(Clock.seconds() >= start && usage.cpu > 0 && usage.peakBytes > 1 << 20)
    }

    @Test("what a recipe says of the arithmetic names the unit where bits depend on it")
    func arithmetic() {
        #expect(Precision.f32.arithmetic(on: .standard) == "f32")
        for level in KernelLevel.allCases {
            #expect(Precision.bf16.arithmetic(on: level) == (level.hasMatrixUnit ? "bf16, matrix unit" : "bf16"))
        }
    }
}

@Suite("An answer at one position")
struct DistributionTests {
    private func distribution(_ logits: [Float]) throws -> Distribution {
        try logits.withUnsafeBufferPointer { try Distribution($0) }
    }

    @Test("probabilities, entropy and divergence are those of a hand computation")
    func values() throws {
        let even = try distribution([3, 3])
        let odd = try distribution([0, Float(log(3.0))])
        #expect(abs(even.probability(0) - 0.5) < 1e-12 && abs(even.entropy - log(2)) < 1e-12)
        #expect(abs(odd.probability(1) - 0.75) < 1e-7 && abs(odd.surprise(0) - log(4)) < 1e-7)
        #expect(abs(even.divergence(from: odd) - 0.5 * log(0.5 / 0.25 * 0.5 / 0.75)) < 1e-7)
        #expect(odd.divergence(from: odd) == 0)
    }

    @Test("the likeliest tokens, of equals the smaller id first, few or many")
    func top() throws {
        var random = SystemRandomNumberGenerator()
        let logits = (0..<200).map { _ in Float(Int.random(in: 0..<20, using: &random)) }
        let found = try distribution(logits)
        let order = logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
        for count in [1, 5, 63, 64, 200] { #expect(found.top(count) == Array(order.prefix(count))) }
        #expect(found.rank(of: order[0]) == 1)
        #expect(try distribution([1, 5, 3]).rank(of: 0) == 3)
    }

    @Test("NaN and infinity are no answer")
    func notFinite() {
        for bad in [Float.nan, .infinity, -.infinity] {
            #expect(throws: ModelError.self) { try distribution([0, bad]) }
        }
    }
}

@Suite("Spot checks")
struct SpotCheckTests {
    @Test("a few texts, the same logits twice, and what an edit changes of them")
    func logits() throws {
        let tiny = try fixtureModel("tiny-chat")
        let check = try SpotCheck(tiny, seed: 1)
        #expect(check.sequences.count == 4 && check.phrase == "\(check.positions) positions of 4 texts")
        let context = RunContext.testing()
        let logits = try check.logits(tiny, edits: [], context)
        #expect(logits.count == check.positions * 300)
        #expect(SpotCheck.largestDifference(logits, try check.logits(tiny, edits: [], context)) == 0)
        let zero = Replacement(.zero, columns: 0..<32, sites: [Site(.mlpOut, layer: 1)])
        #expect(SpotCheck.largestDifference(logits, try check.logits(tiny, edits: [zero], context)) > 1e-3)
        #expect(SpotCheck.largestDifference([1, 2], [1, -2]) == 4)
        #expect(SpotCheck.largestDifference([1, .nan], [1, 2]).isNaN)
    }

    @Test("a checkpoint without a tokenizer is given tokens drawn with the seed")
    func withoutTokenizer() throws {
        let bare = try fixtureModel("mha")
        let vocabulary = try bare.configuration().vocabularySize
        let (one, other) = (
            try SpotCheck(bare, seed: 1).sequences.tokens, try SpotCheck(bare, seed: 2).sequences.tokens
        )
        #expect(one.count == 48 && one != other)
        #expect(try SpotCheck(bare, seed: 1).sequences.tokens == one)
        #expect(one.allSatisfy { $0 >= 0 && Int($0) < vocabulary })
    }
}
