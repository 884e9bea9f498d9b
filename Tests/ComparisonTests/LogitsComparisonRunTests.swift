import Control
import Geometry
import LinearAlgebra
import Models
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Answers of two checkpoints")
struct LogitsComparisonRunTests {
    private static let texts = ["the sea and the sand", "a model", "you are a user of the shore"]

    private func tiny() throws -> CheckpointPair {
        CheckpointPair(
            a: NamedCheckpoint("a", try fixtureModel("tiny-chat")),
            b: NamedCheckpoint("b", try fixtureModel("tiny-near")))
    }

    private func run(
        _ pair: CheckpointPair, at position: Position = .all, context: RunContext = .testing(),
        choices: RunChoices = RunChoices()
    ) throws -> LogitsComparison {
        let compared = try pair.encode(promptSet(Self.texts), at: position, in: context)
        return try LogitsComparisonRun(
            context, pair.a, pair.b, TokenSequences(compared.ids), positions: compared.positions, choices: choices
        ).run()
    }

    @Test("every number is that of the two models' logits at the position")
    func naive() throws {
        let pair = try tiny()
        let context = RunContext.testing()
        let compared = try pair.encode(promptSet(Self.texts), at: .all, in: context)
        let found = try run(pair)
        #expect(found.prompts.map(\.count) == compared.positions.map(\.count))
        for (prompt, ids) in compared.ids.enumerated() {
            let rows = try [pair.a, pair.b].map { side -> [[Float]] in
                var rows: [[Float]] = []
                let request = LogitsRequest(rows: Array(ids.indices)) { range, logits, _ in
                    for row in 0..<range.count {
                        rows.append(Array(UnsafeBufferPointer(start: logits + row * 300, count: 300)))
                    }
                }
                try context.run(side.checkpoint, TokenSequences([ids]), logits: request)
                return rows
            }
            for (place, position) in compared.positions[prompt].enumerated() {
                let expected = rows[0][position].withUnsafeBufferPointer { a in
                    rows[1][position].withUnsafeBufferPointer { b in
                        Divergence(a, b, next: Int(ids[position + 1]))
                    }
                }
                let measured = found.prompts[prompt][place]
                #expect(abs(measured.forward - expected.forward) < 1e-5 && measured.next?.token == expected.next?.token)
                #expect(abs((measured.next?.loss.b ?? 0) - (expected.next?.loss.b ?? 1)) < 1e-5)
            }
        }
        // At the last position nothing follows.
        #expect(try run(pair, at: .last).prompts.allSatisfy { $0.count == 1 && $0[0].next == nil })
    }

    @Test("a checkpoint beside itself is 0 apart, exactly, and KL one way is KL the other way turned round")
    func same() throws {
        let pair = try tiny()
        let own = try run(CheckpointPair(a: pair.a, b: pair.a))
        for position in own.prompts.joined() {
            #expect(position.forward == 0 && position.reverse == 0 && position.jensenShannon == 0 && position.agrees)
            #expect(position.next?.probabilityChange == 0)
        }
        let (there, back) = (try run(pair), try run(CheckpointPair(a: pair.b, b: pair.a)))
        for (one, other) in zip(there.prompts.joined(), back.prompts.joined()) {
            #expect(one.forward == other.reverse && one.forward > 0)
            #expect(abs(one.jensenShannon - other.jensenShannon) < 1e-12)
        }
    }

    @Test("in little memory, prompt by prompt, and at any number of threads the same bits")
    func memory() throws {
        let pair = try tiny()
        let whole = try run(pair)
        #expect(try run(pair, context: .testing(threads: 2)).prompts == whole.prompts)
        let small = MemoryLimit(bytes: 1000, name: "the limit")
        let error = #expect(throws: ComparisonError.self) { try run(pair, context: .testing(memory: small)) }
        guard case .smallLimit(small, let longest, let smallest)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(longest > 2)
        // What the message says is enough.
        let enough = MemoryLimit(bytes: (smallest + 999_999) / 1_000_000 * 1_000_000, name: "m")
        let told = Told()
        let divided = try run(pair, context: .testing(tell: told.tell), choices: RunChoices(memory: enough))
        #expect(divided.prompts == whole.prompts)
        #expect(told.scopes.map(\.done) == told.scopes.map(\.done).sorted() && Set(told.scopes.map(\.total)).count == 1)
    }

    @Test("a text too long for either is refused before anything runs, and a NaN is named")
    func refusals() throws {
        let pair = try tiny()
        #expect(throws: ModelError.self) {
            try LogitsComparisonRun(
                .testing(), pair.a, pair.b, TokenSequences([[Int32](repeating: 5, count: 200)]), positions: [[0]],
                choices: RunChoices())
        }
        for bad in try [
            CheckpointPair(a: NamedCheckpoint("bad", withNaN(fixtureModel("tiny-near"))), b: pair.b),
            CheckpointPair(a: pair.a, b: NamedCheckpoint("bad", withNaN(fixtureModel("tiny-near")))),
        ] {
            let error = #expect(throws: WorkbenchError.self) { try run(bad) }
            guard case .badTensor(_, "model.norm.weight", nans: 1, infinities: 0)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let cancelled = RunContext.cancelled
        #expect(throws: CancellationError.self) { try run(pair, context: cancelled) }
    }

    @Test("shares of positions and of prompts")
    func summaries() throws {
        let found = try run(tiny())
        #expect(found.quantiles(\.forward)?[1] == found.prompts.joined().map(\.forward).max())
        #expect(LogitsComparison([[]]).quantiles(\.forward) == nil && LogitsComparison([]).positions == 0)
    }
}

@Suite("Activations of two checkpoints")
struct PairedActivationsTests {
    private func paired(
        _ pair: CheckpointPair, _ set: PromptSet, sites: String? = nil, at position: Position = .last,
        context: RunContext = .testing()
    ) throws -> PairedActivations {
        try PairedActivations(pair, set, sites: sites, at: position, choices: RunChoices(), in: context)
    }

    private func pair(_ a: String = "tiny-chat", _ b: String = "tiny-near") throws -> CheckpointPair {
        CheckpointPair(a: NamedCheckpoint("a", try fixtureModel(a)), b: NamedCheckpoint("b", try fixtureModel(b)))
    }

    private let set = promptSet(["the sea and the sand", "a model", "you are a user of the shore"])

    @Test("rows of both are those of each alone")
    func rows() throws {
        let pair = try pair()
        let found = try paired(pair, set)
        #expect(found.sites == [Site(.residPost, layer: 0), Site(.residPost, layer: 1)] && found.missing.isEmpty)
        #expect(found.count == 3 && found.total == 3 && found.prompts == [0, 1, 2] && found.groups == nil)
        #expect(found.notes.isEmpty)
        let site = Site(.residPost, layer: 1)
        let ids = try pair.a.checkpoint.encode(set, in: .testing()).ids
        let rows = try found.rows(at: site)
        for (side, matrix) in [(pair.a, rows.a), (pair.b, rows.b)] {
            let alone = try RunContext.testing().rows(
                side, ids, positions: ids.map { [$0.count - 1] }, sites: [site], choices: RunChoices())
            #expect(alone[site] == matrix)
        }
        #expect(throws: WorkbenchError.modelHasNoSite(Site(.embed))) { try found.rows(at: Site(.embed)) }
    }

    @Test("rows of one prompt stay together, a mean is one row a prompt, and of too many some are drawn")
    func groups() throws {
        let all = try paired(pair(), set, at: .all)
        #expect(all.groups == all.prompts && all.count > 3)
        #expect(all.notes == ["Rows of one prompt are not independent: they stay together when halves are drawn."])
        let mean = try paired(pair(), set, sites: "embed", at: .mean)
        #expect(mean.count == 3 && mean.groups == nil)
        let many = promptSet((0..<90).map { "\($0) the sea and the sand and the shore are there" })
        let drawn = try paired(pair(), many, sites: "embed", at: .all)
        #expect(drawn.count == PairedActivations.rowLimit && drawn.total > drawn.count)
        #expect(drawn.notes[0] == "1024 of \(drawn.total) rows, drawn with the seed.")
        #expect(drawn.prompts == drawn.prompts.sorted())
        #expect(try paired(pair(), many, sites: "embed", at: .all).prompts == drawn.prompts)
        let other = try paired(pair(), many, sites: "embed", at: .all, context: .testing(seed: 1))
        #expect(other.prompts != drawn.prompts)
    }

    @Test("few rows do not make the number: a first row that is an outlier in either is left out of both")
    func outlierFirstRows() throws {
        let texts = ["Z the sea and the sand", "Z a model of the shore", "Z you are a user", "Z the shore and a sea"]
        let set = promptSet(texts)
        let tiny = try fixtureModel("tiny-chat")
        let ids = try tiny.encode(set, in: .testing()).ids
        let long = CheckpointPair(
            a: NamedCheckpoint("a", tiny),
            b: NamedCheckpoint("b", try withLongTokens(fixtureModel("tiny-near"), [ids[0][0]])))
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let site = Site(.residPost, layer: 1)
        let found = try paired(long, set, at: .all, context: context)
        #expect(told.firstRows.map(\.prompts) == [4] && found.count == ids.reduce(0) { $0 + $1.count - 1 })
        let cut = ids.map { Array(1..<$0.count) }
        for (side, matrix) in [(long.a, try found.rows(at: site).a), (long.b, try found.rows(at: site).b)] {
            let alone = try RunContext.testing().rows(side, ids, positions: cut, sites: [site], choices: RunChoices())
            #expect(alone[site] == matrix)
        }
        // CKA is that of the rows cut by hand.
        let cka = try #require(found.similarities(in: context)[1].measurement?.values[.cka])
        let rows = try found.rows(at: site)
        let byHand = try SimilarityMeasurement(
            rows.a, rows.b, groups: found.groups, seed: 0, pool: context.pool, control: context.control)
        #expect(cka == byHand.values[.cka] && told.heavyRows.isEmpty)
        // With them the numbers say on what they rest.
        let kept = try PairedActivations(
            long, set, sites: "resid_post[1]", at: .all, keepsFirst: true, choices: RunChoices(), in: context)
        #expect(kept.count == found.count + 4)
        _ = try kept.similarities(in: context)
        #expect(told.heavyRows.first?.name == "resid_post[1] of b" && told.heavyRows.first?.weights.outliers == 4)
        // At the last position, and in logits, nothing is left out.
        #expect(try paired(long, set, context: context).count == 4 && told.firstRows.count == 1)
    }

    @Test("sites that one of them lacks are named, and if it lacks all, that is said")
    func missing() throws {
        // One layer instead of six, and the vocabulary of its own: only pearl's own tokens are compared.
        let pair = try pearlPair("chat", "tuned")
        let found = try paired(pair, set, sites: "resid_post[1,2],embed")
        #expect(found.sites == [Site(.embed), Site(.residPost, layer: 1), Site(.residPost, layer: 2)])
        #expect(throws: ComparisonError.noRows(Site(.logits))) { try paired(pair, set, sites: "logits") }
        #expect(throws: ComparisonError.noPrompts(set: nil)) { try paired(pair, promptSet([])) }
        #expect(throws: CancellationError.self) { try paired(pair, set, context: .cancelled) }
    }

    @Test("a checkpoint beside itself is alike to the last digit, and unchanged")
    func same() throws {
        let pair = try pearlPair("chat", "chat")
        let found = try paired(pair, shippedPrompts("open.txt", 40), sites: "resid_post[1,4]")
        let context = RunContext.testing()
        for site in try found.similarities(in: context) {
            let measured = try #require(site.measurement as SimilarityMeasurement?)
            let cka = try #require(measured.values[.cka])
            #expect(abs(cka.value - 1) < 1e-6)
        }
        for site in try found.shapes(in: context) {
            let shape = try #require(site.measurement)
            #expect(shape.finding == .unchanged && shape.cka.value > 1 - 1e-9)
            #expect(shape.dimensions.allSatisfy { $0.logRatio == 0 })
        }
    }

    @Test("a checkpoint beside its beginning is not alike, and the bits are those of any number of threads")
    func other() throws {
        let pair = try pearlPair("step-0", "base")
        let found = try paired(pair, shippedPrompts("open.txt", 40), sites: "resid_post[3]")
        let shapes = try [1, 2].map { try found.shapes(in: .testing(threads: $0)) }
        let shape = try #require(shapes[0].first?.measurement)
        #expect(shape.finding == .changed && shape.cka.value < 0.9)
        #expect(shapes[1].first?.measurement?.cka.value == shape.cka.value)
        #expect(throws: CancellationError.self) { try found.shapes(in: .cancelled) }
    }

    @Test("where no site can be measured, the first says why")
    func notMeasured() throws {
        let found = try paired(pair(), set)
        let error = #expect(throws: ComparisonError.self) { try found.shapes(in: .testing()) }
        guard case .notMeasured(Site(.residPost, layer: 0), let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }
}
