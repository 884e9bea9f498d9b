import Checkpoints
import Control
import LinearAlgebra
import Models
import Testing

@testable import Comparison

@Suite("Merging checkpoints")
struct MergeTests {
    private let a = WeightPair.normal(3000, 0.02, seed: 41)
    private let b = WeightPair.normal(3000, 0.02, seed: 42)
    private let c = WeightPair.normal(3000, 0.02, seed: 43)

    private func values(_ checkpoint: Checkpoint, _ name: String = "w") throws -> [Float] {
        let view = try #require(try checkpoint.tensor(name))
        return [Float](unsafeUninitializedCapacity: view.count) { buffer, written in
            Widening.widen(view.bytes.baseAddress!, view.type, into: buffer.baseAddress!, count: view.count)
            written = view.count
        }
    }

    private func merge(
        _ pair: WeightPair, minus: Checkpoint? = nil, weight: Double, threads: Int = 2
    ) throws -> Merge {
        let pool = try ThreadPool(threadCount: threads)
        defer { pool.stop() }
        let pairs = TensorPairs(pair.a.tensors, pair.b.tensors).pairs
        return try Merge(
            pairs, pair.a, pair.b, minus: minus.map { ($0, pairs.map(\.name)) }, weight: weight, label: "merged",
            recipeJSON: Array("{}".utf8), pool: pool, control: RunControl())
    }

    private func pair(_ typeA: ElementType = .f32, _ typeB: ElementType = .f32) throws -> WeightPair {
        try WeightPair([.init(name: "w", shape: [50, 60], a: a, b: b, typeA: typeA, typeB: typeB)])
    }

    @Test("between the two, every number is the mean that it should be, and what is the same stays as it is")
    func line() throws {
        let pair = try pair()
        let merged = try merge(pair, weight: 0.3)
        for (index, value) in try values(merged.checkpoint).enumerated() {
            let exact = Double(a[index]) + 0.3 * (Double(b[index]) - Double(a[index]))
            #expect(value == Float(exact), "\(index)")
        }
        #expect(merged.changed == 1 && merged.kept == pair.a.tensors.count - 1 && merged.copied == 0)
        // 0.3 of the way from A, and 0.7 from B.
        #expect(abs(merged.fromA / merged.fromB * 0.7 / 0.3 - 1) < 0.1)
        let other = try merge(pair, weight: 0.3, threads: 1)
        #expect(try values(other.checkpoint) == values(merged.checkpoint))
    }

    @Test("the ends are A's bits and B's", arguments: [ElementType.f32, .bf16, .f16])
    func ends(type: ElementType) throws {
        let pair = try pair(type, type)
        let (start, end) = (try merge(pair, weight: 0).checkpoint, try merge(pair, weight: 1).checkpoint)
        #expect(start.info("w")?.type == type && end.info("w")?.type == type)
        #expect(try values(start) == values(pair.a) && values(end) == values(pair.b))
        // Of two types, B's values as f32.
        let mixed = try self.pair(.f32, .bf16)
        let exact = try merge(mixed, weight: 1).checkpoint
        #expect(exact.info("w")?.type == .f32)
        #expect(try values(exact) == values(mixed.b))
    }

    @Test("task arithmetic: A + l (B - C)")
    func task() throws {
        let pair = try pair()
        let third = try WeightPair([.init(name: "w", shape: [50, 60], a: c, b: c)])
        let merged = try merge(pair, minus: third.a, weight: -0.7)
        for (index, value) in try values(merged.checkpoint).enumerated() {
            #expect(value == Float(Double(a[index]) - 0.7 * (Double(b[index]) - Double(c[index]))), "\(index)")
        }
        // B - B adds nothing.
        let none = try merge(pair, minus: pair.b, weight: 5)
        #expect(none.changed == 0)
        #expect(try values(none.checkpoint) == a)
    }

    @Test("NaN, and numbers beyond the type, are refused by name")
    func notFinite() throws {
        var bad = b
        bad[7] = .nan
        let pair = try WeightPair([.init(name: "w", shape: [50, 60], a: a, b: bad)])
        let error = #expect(throws: CheckpointError.self) { try merge(pair, weight: 0.5) }
        #expect(error?.object == "w" && error?.kind == .inconsistent)
        #expect(throws: CheckpointError.self) { try merge(self.pair(), weight: 1e300) }
    }

    @Test("the bytes that it takes: f32 of what the digests say is different")
    func bytes() throws {
        let pair = try pair(.bf16, .bf16)
        let pairs = TensorPairs(pair.a.tensors, pair.b.tensors).pairs
        #expect(Merge.byteCount(pairs, minus: nil, weight: 0.5) == 3000 * 4)
        #expect(Merge.byteCount(pairs, minus: nil, weight: 0) == 0)
    }
}
