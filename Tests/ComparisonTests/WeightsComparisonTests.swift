import Checkpoints
import Control
import Foundation
import LinearAlgebra
import Models
import Statistics
import TerminalText
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

/// Two checkpoints in memory, of tensors that a test makes.
struct WeightPair {
    let a: Checkpoint
    let b: Checkpoint
    let names: [String]

    struct Values {
        let name: String
        var shape: [Int]
        var a: [Float]
        var b: [Float]
        var typeA = ElementType.f32
        var typeB = ElementType.f32
    }

    init(_ values: [Values]) throws {
        names = values.map(\.name)
        a = try Self.checkpoint(values.map { ($0.name, $0.typeA, $0.shape, $0.a) })
        b = try Self.checkpoint(values.map { ($0.name, $0.typeB, $0.shape, $0.b) })
    }

    private static func checkpoint(_ tensors: [(String, ElementType, [Int], [Float])]) throws -> Checkpoint {
        var derivation = Derivation(of: try fixtureModel("tiny-chat").file, recipeJSON: Array("{}".utf8))
        for (name, type, shape, values) in tensors {
            derivation.tensors.append(try tensor(name, type, shape, values))
        }
        return try Checkpoint(derivation, label: "test")
    }

    /// Rounds to the type.
    static func tensor(_ name: String, _ type: ElementType, _ shape: [Int], _ values: [Float]) throws -> MemoryTensor {
        try MemoryTensor(name: name, type: type, shape: shape, file: "test") { target in
            switch type {
            case .bf16:
                Narrowing.bf16(values, into: target.bindMemory(to: UInt16.self).baseAddress!, count: values.count)
            case .f16:
                Narrowing.f16(values, into: target.bindMemory(to: UInt16.self).baseAddress!, count: values.count)
            default: values.withUnsafeBytes { target.copyMemory(from: $0) }
            }
        }
    }

    func compare(threads: Int = 2) throws -> WeightsComparison {
        let pool = try ThreadPool(threadCount: threads)
        defer { pool.stop() }
        let chosen = Set(names)
        return try WeightsComparison(
            TensorPairs(a.tensors, b.tensors) { chosen.contains($0) }.pairs, a, b, pool: pool, control: RunControl())
    }

    func spectrum(_ name: String, grains: (ElementType, ElementType), top: Int = 0) throws -> DifferenceSpectrum {
        let (one, other) = (try #require(try a.tensor(name)), try #require(try b.tensor(name)))
        let gaussian = try GramSpectrum(
            gaussianRows: one.shape[0], columns: one.shape[1], seed: 1, control: RunControl())
        return try DifferenceSpectrum(
            one, other, grains: grains, gaussian: gaussian, top: top, seed: 1, control: RunControl())
    }

    static func normal(_ count: Int, _ scale: Double, seed: UInt64) -> [Float] {
        var random = SeededRandom(seed: seed)
        return random.normal(count: count).map { Float(scale * $0) }
    }
}

@Suite("Weights of two checkpoints")
struct WeightsComparisonTests {
    @Test("the same weights: exactly 0, 0 and 1", arguments: [ElementType.f32, .bf16, .f16])
    func identical(type: ElementType) throws {
        let values = WeightPair.normal(70 * 33, 0.02, seed: 3)
        let pair = try WeightPair([
            .init(name: "w", shape: [70, 33], a: values, b: values, typeA: type, typeB: type)
        ])
        let found = try pair.compare()
        let total = try #require(found.total)
        #expect(total.relativeChange == 0 && total.relativeGap == 0 && total.cosine == 1)
        #expect(total.changedShare == 0 && total.largestChange == 0 && total.state == .identical)
        let spectrum = try pair.spectrum("w", grains: (type, type), top: 5)
        #expect(spectrum.rank == 0 && spectrum.rankAboveBulk == 0 && spectrum.dimensions == nil)
        let overlap = try #require(spectrum.overlap)
        #expect(abs(overlap.left - 1) < 1e-12 && abs(overlap.right - 1) < 1e-12 && overlap.null == nil)
    }

    /// Widths that are no multiple of a vector, and more elements than a task has.
    @Test("every number is that of a plain loop", arguments: [7, 1029, 600_001])
    func naive(count: Int) throws {
        let a = WeightPair.normal(count, 0.02, seed: 5)
        var b = a
        let noise = WeightPair.normal(count, 1e-4, seed: 6)
        for index in stride(from: 0, to: count, by: 3) { b[index] += noise[index] }
        let pair = try WeightPair([.init(name: "w", shape: [count], a: a, b: b)])
        let total = try #require(try pair.compare().total)
        var (aa, bb, dd, ab, absolute, sizes, largest, changed) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
        for index in 0..<count {
            let (x, y) = (Double(a[index]), Double(b[index]))
            aa += x * x
            bb += y * y
            ab += x * y
            dd += (y - x) * (y - x)
            absolute += abs(y - x)
            sizes += abs(x) + abs(y)
            largest = max(largest, abs(y - x))
            changed += x == y ? 0 : 1
        }
        func close(_ one: Double?, _ other: Double) -> Bool { abs((one ?? .nan) - other) <= 1e-11 * abs(other) }
        #expect(close(total.relativeChange, (dd / aa).squareRoot()))
        #expect(close(total.relativeGap, absolute / sizes))
        #expect(close(total.cosine, ab / (aa * bb).squareRoot()))
        #expect(total.largestChange == largest && total.changedShare == Double(changed) / Double(count))
    }

    @Test("one thread and two give the same bits")
    func threads() throws {
        let count = 1_700_003
        let pair = try WeightPair([
            .init(
                name: "w", shape: [count], a: WeightPair.normal(count, 0.02, seed: 8),
                b: WeightPair.normal(count, 0.02, seed: 9), typeB: .bf16)
        ])
        let totals = try [1, 2].map { try #require(try pair.compare(threads: $0).total) }
        #expect(totals[0].relativeChange?.bitPattern == totals[1].relativeChange?.bitPattern)
        #expect(totals[0].relativeGap?.bitPattern == totals[1].relativeGap?.bitPattern)
        #expect(totals[0].cosine?.bitPattern == totals[1].cosine?.bitPattern)
        #expect(totals[0].roundingNorm?.bitPattern == totals[1].roundingNorm?.bitPattern)
    }

    @Test("a rank-3 change is found to have rank 3, in f32 and in bf16", arguments: [ElementType.f32, .bf16, .f16])
    func planted(type: ElementType) throws {
        for (rows, columns) in [(160, 96), (96, 160), (128, 128)] {
            let a = WeightPair.normal(rows * columns, 0.02, seed: 11)
            let (u, v) = (WeightPair.normal(3 * rows, 0.1, seed: 12), WeightPair.normal(3 * columns, 0.1, seed: 13))
            var b = try Self.stored(a, type)
            for row in 0..<rows {
                for column in 0..<columns {
                    for k in 0..<3 { b[row * columns + column] += 0.3 * u[k * rows + row] * v[k * columns + column] }
                }
            }
            let pair = try WeightPair([
                .init(name: "w", shape: [rows, columns], a: a, b: b, typeA: type, typeB: type)
            ])
            let spectrum = try pair.spectrum("w", grains: (type, type))
            #expect(spectrum.rank == 3, "\(rows) x \(columns): \(spectrum.singularValues.prefix(6))")
            #expect(spectrum.rankAboveBulk == 3, "\(rows) x \(columns): \(spectrum.bulkEdge)")
        }
    }

    /// Values as the type has them.
    private static func stored(_ values: [Float], _ type: ElementType) throws -> [Float] {
        let view = try WeightPair.tensor("x", type, [values.count], values).view
        return [Float](unsafeUninitializedCapacity: values.count) { buffer, written in
            Widening.widen(view.bytes.baseAddress!, type, into: buffer.baseAddress!, count: values.count)
            written = values.count
        }
    }

    @Test("noise of rounding has no rank; dense noise has rank above rounding and none above its own bulk")
    func noise() throws {
        let a = WeightPair.normal(120 * 90, 0.02, seed: 14)
        let rounded = try WeightPair([.init(name: "w", shape: [120, 90], a: a, b: a, typeB: .bf16)])
        #expect(try rounded.spectrum("w", grains: (.f32, .bf16)).rank == 0)
        let noise = WeightPair.normal(120 * 90, 0.01, seed: 15)
        let dense = try WeightPair([.init(name: "w", shape: [120, 90], a: a, b: zip(a, noise).map { $0 + $1 })])
        let spectrum = try dense.spectrum("w", grains: (.f32, .f32))
        #expect(spectrum.rank == 90 && spectrum.rankAboveBulk == 0, "\(spectrum.rank) \(spectrum.rankAboveBulk)")
    }

    @Test("a rounded copy is at its floor and is called one", arguments: [ElementType.bf16, .f16])
    func rounded(type: ElementType) throws {
        let values = WeightPair.normal(90 * 80, 0.02, seed: 20)
        for isStoredSo in [true, false] {
            // Stored as bf16, or rounded to it and stored as f32.
            let copy = try Self.stored(values, type)
            let pair = try WeightPair([
                .init(
                    name: "w", shape: [90, 80], a: values, b: copy, typeB: isStoredSo ? type : .f32)
            ])
            let comparison = try pair.compare()
            let found = try #require(comparison.rows.first).difference
            #expect(found.state == .rounded(.b, type))
            #expect(abs((found.changeOverRounding ?? 0) - 1) < 1e-12)
            // Uniform errors: 2^-digits √(E 4^⌊log2|x|⌋ / 12).
            let expected = Rounding.expectedChange(binades: found.sums.a.binades, type)
            #expect(abs(expected / found.norm - 1) < 0.05, "\(expected) \(found.norm)")
            #expect(comparison.grains.a == .f32 && comparison.grains.b == type)
        }
        // The other way round.
        let back = try WeightPair([
            .init(name: "w", shape: [90, 80], a: values, b: values, typeA: type)
        ]).compare()
        #expect(try #require(back.rows.first).difference.state == .rounded(.a, type))
    }

    @Test("rounding of another kind is within rounding, and more is a change")
    func otherRounding() throws {
        let values = WeightPair.normal(9000, 0.02, seed: 21)
        let stored = try Self.stored(values, .bf16)
        // One last place up for one in 20: √(12 / 20) of what rounding gives.
        let flipped = stored.enumerated().map { index, value in
            index % 20 == 0 ? Float(bitPattern: value.bitPattern + 0x10000) : value
        }
        func state(_ b: [Float]) throws -> TensorDifference {
            try #require(
                try WeightPair([.init(name: "w", shape: [9000], a: stored, b: b, typeA: .bf16, typeB: .bf16)])
                    .compare().rows.first
            ).difference
        }
        let small = try state(flipped)
        #expect(small.state == .withinRounding(.bf16) && abs(small.changedShare - 0.05) < 1e-12)
        #expect(abs((small.changeOverRounding ?? 0) - (12.0 / 20).squareRoot()) < 0.05)
        #expect(try state(stored.map { $0 * 1.1 }).state == .changed)
    }

    @Test("NaN and infinities are counted where they are, and the other tensors go on")
    func notFinite() throws {
        let values = WeightPair.normal(5000, 0.02, seed: 30)
        var bad = values
        (bad[17], bad[18], bad[4999]) = (.nan, -.infinity, .infinity)
        let pair = try WeightPair([
            .init(name: "bad", shape: [5000], a: values, b: bad),
            .init(name: "good", shape: [5000], a: values, b: values.map { 2 * $0 }),
        ])
        let found = try pair.compare()
        let row = try #require(found.rows.first { $0.pair.name == "bad" }).difference
        #expect(row.state == .notFinite && row.nonFinite == (0, 3))
        #expect(row.relativeChange == nil && row.cosine == nil && row.relativeGap == nil)
        let total = try #require(found.total)
        #expect(total.count == 5000 && total.relativeChange == 1 && total.cosine == 1)
        #expect(abs((total.relativeGap ?? 0) - 1.0 / 3) < 1e-15)
    }

    @Test("zeros beside zeros are the same, and beside others have no relative change")
    func zeros() throws {
        let zero = [Float](repeating: 0, count: 100)
        let pair = try WeightPair([
            .init(name: "same", shape: [100], a: zero, b: zero),
            .init(name: "other", shape: [100], a: zero, b: [Float](repeating: 1, count: 100)),
        ])
        let found = try pair.compare()
        #expect(found.rows.map(\.pair.name) == ["other", "same"])
        #expect(found.rows[1].difference.relativeChange == 0 && found.rows[1].difference.state == .identical)
        #expect(found.rows[0].difference.relativeChange == nil && found.rows[0].difference.state == .changed)
        #expect(found.rows[0].difference.cosine == nil && found.rows[0].difference.relativeGap == 1)
    }

    @Test("what is missing, added or of another shape is no pair; a bare model's names pair with a whole one's")
    func pairing() throws {
        func info(_ name: String, _ shape: [Int]) throws -> TensorInfo {
            let values = [Float](repeating: 1, count: shape.reduce(1, *))
            let pair = try WeightPair([.init(name: name, shape: shape, a: values, b: values)])
            return try #require(pair.a.info(name))
        }
        let a = [
            try info("model.embed_tokens.weight", [4, 2]), try info("model.layers.10.mlp.up_proj.weight", [2, 2]),
            try info("model.layers.9.mlp.up_proj.weight", [2, 2]), try info("model.norm.weight", [2]),
        ]
        let b = [
            try info("lm_head.weight", [5, 2]), try info("model.embed_tokens.weight", [5, 2]),
            try info("model.layers.10.mlp.up_proj.weight", [2, 2]),
            try info("model.layers.9.mlp.up_proj.weight", [2, 2]),
        ]
        let pairs = TensorPairs(a, b)
        #expect(pairs.pairs.map(\.name) == [9, 10].map { "model.layers.\($0).mlp.up_proj.weight" })
        #expect(
            pairs.unpaired.map { "\($0.name): \($0.difference.rawValue)" } == [
                "model.embed_tokens.weight: another shape", "model.norm.weight: in A only", "lm_head.weight: in B only",
            ])
        let bare = [try info("layers.9.mlp.up_proj.weight", [2, 2]), try info("norm.weight", [2])]
        #expect(TensorPairs(a, bare).pairs.map(\.b.name) == ["layers.9.mlp.up_proj.weight", "norm.weight"])
        #expect(TensorPairs(a, b) { $0.contains("norm") }.pairs.isEmpty)
    }

    @Test("parts of a model by the names of several families")
    func parts() {
        let found = [
            "model.embed_tokens.weight", "model.layers.3.self_attn.q_norm.weight", "transformer.h.11.attn.c_attn.bias",
            "gpt_neox.layers.2.mlp.dense_4h_to_h.weight", "lm_head.weight", "transformer.ln_f.weight", "wpe.weight",
        ].map { ModelPart($0) }
        #expect(found.map(\.kind) == [.embed, .norm, .attn, .mlp, .head, .norm, .embed])
        #expect(found.map(\.layer) == [nil, 3, 11, 2, nil, nil, nil])
    }

    @Test("singular subspaces: a rotation within the span keeps the overlap 1, and another plane has none")
    func overlap() throws {
        // Diagonal: the first two left and right vectors are the first two axes; B swaps them, or takes the next.
        func diagonal(_ values: [Float]) -> [Float] {
            (0..<12).flatMap { row in (0..<7).map { row == $0 ? values[row] : 0 } }
        }
        let a = diagonal([5, 4, 1, 0.5, 0, 0, 0])
        let turned = try WeightPair([.init(name: "w", shape: [12, 7], a: a, b: diagonal([4, 5, 1, 0.5, 0, 0, 0]))])
        let same = try #require(try turned.spectrum("w", grains: (.f32, .f32), top: 2).overlap)
        #expect(abs(same.left - 1) < 1e-12 && abs(same.right - 1) < 1e-12)
        let moved = try WeightPair([.init(name: "w", shape: [12, 7], a: a, b: diagonal([0, 0, 5, 4, 0, 0, 0]))])
        let other = try #require(try moved.spectrum("w", grains: (.f32, .f32), top: 2).overlap)
        #expect(other.left < 1e-12 && other.right < 1e-12 && other.null != nil)
    }
}
