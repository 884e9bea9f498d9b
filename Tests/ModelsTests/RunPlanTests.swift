import Checkpoints
import Control
import Foundation
import LinearAlgebra
import Sites
import TestSupport
import Testing

@testable import Models

@Suite("Memory and cost of a run")
struct RunPlanTests {
    private static let folder = NacreProcess.root.appending(path: "Tests/Fixtures/models")

    private func model(_ name: String) throws -> (Checkpoint, Decoder) {
        let checkpoint = try Checkpoint.open(Self.folder.appending(path: "\(name).h5").path)
        let json = try JSONValueReader.read(checkpoint)
        return (checkpoint, try Architectures.decoder(json, weights: checkpoint))
    }

    private let prompts = TokenSequences((0..<40).map { [Int32](repeating: 3, count: 1 + $0 * 7 % 23) })

    @Test("a plan keeps within its budget, uses it, and is refused below the smallest")
    func plans() throws {
        let c = try model("tiny-chat").1.configuration
        let needs = RunMemory(c, threads: 2, sequences: prompts, logits: true)
        #expect(needs.longest == 23 && needs.tokens == prompts.tokens.count)
        #expect(needs.plan(budget: needs.smallest - 1) == nil)
        var before = try #require(needs.plan(budget: needs.smallest))
        #expect(before.packTokens == 23 && before.sweepTokens == 23 && before.bytes == needs.smallest)
        for extra in stride(from: 1000, through: 4_000_000, by: 50_000) {
            let plan = try #require(needs.plan(budget: needs.smallest + extra))
            #expect(plan.bytes <= needs.smallest + extra)
            #expect(plan.packTokens >= before.packTokens && plan.sweepTokens >= plan.packTokens)
            #expect(plan.sweepTokens <= needs.tokens)
            before = plan
        }
        #expect(before.packTokens == needs.tokens && before.packsWeights)
        #expect(needs.defaultPlan(packsWeights: true) == before)
    }

    @Test("a run of no prompts has a plan, too")
    func nothing() throws {
        let c = try model("tiny-chat").1.configuration
        let empty = RunMemory(c, threads: 1, sequences: TokenSequences([]), logits: false)
        #expect(empty.longest == 0 && empty.plan(budget: empty.smallest) != nil)
    }

    @Test("every plan computes the same bits", arguments: ["tiny-chat", "mqa-bf16", "gpt-neox", "phi3"])
    func sameBits(name: String) throws {
        let (_, model) = try model(name)
        let c = model.configuration
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        let sequences = TokenSequences(
            (0..<20).map { prompt in (0...prompt % 9).map { Int32(($0 * 5 + prompt) % min(c.vocabularySize, 50)) } })
        func values(_ runner: Runner) throws -> [Float] {
            let selection = RowSelection(
                sequences, positions: (0..<20).map { [sequences.rows(of: $0).count - 1] }, isMean: false)
            let sink = MatrixSink(rows: selection.outputCount)
            let site = Site(.residPost, layer: c.layers - 1)
            try runner.run(
                sequences, taps: [SiteCollector(sites: [site], selection: selection, sink: sink)], control: RunControl()
            )
            return try #require(sink.matrices[site]).values
        }
        let needs = RunMemory(c, threads: 2, sequences: sequences, logits: false)
        let reference = try values(Runner(model: model, pool: pool))
        for extra in [0, 3000, 20_000] {
            let plan = try #require(needs.plan(budget: needs.smallest + extra))
            let runner = Runner(
                model: model, pool: pool, memoryBudget: plan.sweepTokens * needs.sweepBytes,
                packTokens: plan.packTokens, packsWeights: plan.packsWeights)
            #expect(try values(runner) == reference)
        }
    }

    @Test(
        "the operations are those that the runner counts, and attention's",
        arguments: ["tiny-chat", "gqa-tied", "qwen3"])
    func operations(name: String) throws {
        let (checkpoint, model) = try model(name)
        let c = model.configuration
        let tensors = checkpoint.tensors.map {
            RunCost.Tensor(name: $0.name, shape: $0.shape, byteCount: $0.byteCount)
        }
        let pool = try ThreadPool(threadCount: 1)
        defer { pool.stop() }
        let ids: [Int32] = [1, 2, 3, 4, 5]
        let sequences = TokenSequences([ids])
        let request = LogitsRequest(rows: [2, 4]) { _, _, _ in }
        let summary = try Runner(model: model, pool: pool).run(sequences, logits: request, control: RunControl())
        let cost = RunCost(c, tensors: tensors, sequences: sequences, last: Site(.logits), logitRows: 2)
        let attention = 4 * 25.0 * Double(c.heads * c.headDimension * c.layers)
        #expect(cost.operations == summary.operations + attention)
        // A run that ends at a site reads no more than it needs.
        let first = RunCost(c, tensors: tensors, sequences: sequences, last: Site(.residPost, layer: 0), logitRows: 0)
        let before = RunCost(c, tensors: tensors, sequences: sequences, last: Site(.residPre, layer: 1), logitRows: 0)
        let half = RunCost(c, tensors: tensors, sequences: sequences, last: Site(.attnOut, layer: 0), logitRows: 0)
        #expect(first == before && half.operations < first.operations && half.weightBytes < first.weightBytes)
        #expect(first.operations < cost.operations)
        let none = RunCost(c, tensors: tensors, sequences: sequences, last: Site(.embed), logitRows: 0)
        #expect(none.operations == 0 && none.weightBytes == 0)
    }

    @Test("prompts are grouped without cutting one")
    func groups() {
        let sequences = TokenSequences([3, 4, 9, 1, 1, 2].map { [Int32](repeating: 0, count: $0) })
        #expect(sequences.groups(0..<6, limit: 7) == [0..<2, 2..<3, 3..<6])
        #expect(sequences.groups(1..<6, limit: 1) == [1..<2, 2..<3, 3..<4, 4..<5, 5..<6])
        #expect(sequences.groups(2..<2, limit: 5).isEmpty && sequences.groups(0..<6, limit: .max) == [0..<6])
    }

    @Test("the probe finds a speed and a rate")
    func probe() throws {
        let (checkpoint, model) = try model("tiny-chat")
        let pool = try ThreadPool(threadCount: 1)
        defer { pool.stop() }
        #expect(try SpeedProbe.product(model.configuration, pool: pool, control: RunControl()) > 1e6)
        let views = try checkpoint.tensors.compactMap { try checkpoint.tensor($0.name) }
        // Too small to tell.
        #expect(try SpeedProbe.read(views, control: RunControl()) == nil)
        let cancelled = RunControl()
        cancelled.cancel()
        #expect(throws: CancellationError.self) {
            try SpeedProbe.product(model.configuration, pool: pool, control: cancelled)
        }
    }
}
