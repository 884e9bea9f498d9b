import Checkpoints
import Control
import Foundation
import LinearAlgebra
import Models
import Statistics
import TestSupport
import Testing

/// Gaussian changes of the same size as a change of weights, and tensors that do not match.
struct PerturbedCheckpointTests {
    private let folder = TemporaryFolder()

    /// Tensors of every float type, one of them longer than the pieces that are computed at a time.
    private func made(
        _ name: String, seed: UInt64, types: [ElementType] = [.f32, .bf16, .f16, .f64],
        change: (inout [String: (shape: [Int], values: [Double])]) -> Void = { _ in }
    ) throws -> Checkpoint {
        var random = SeededRandom(seed: seed)
        var contents: [String: (shape: [Int], values: [Double])] = [:]
        for (index, shape) in [[257, 130], [5], [3, 4], [40_000]].enumerated() {
            contents["t\(index)"] = (shape, random.normal(count: shape.reduce(1, *)))
        }
        change(&contents)
        let tensors = contents.sorted { $0.key < $1.key }.map { name, tensor in
            let type = types[Int(name.suffix(1)) ?? 0]
            return CheckpointContents.Tensor(name: name, type: type, shape: tensor.shape) {
                view(name, type, tensor.shape, encoded(tensor.values, type))
            }
        }
        let path = folder.file(name)
        try CheckpointWriter.write(
            to: path, overwrite: true,
            source: CheckpointContents(
                architecture: "llama", createdBy: "nacre test", source: "memory",
                configJSON: Array(#"{"model_type": "llama"}"#.utf8), recipeJSON: Array("{}".utf8), tokenizerJSON: nil,
                chatJSON: nil, tensors: tensors), control: RunControl())
        return try Checkpoint.open(path)
    }

    private func encoded(_ values: [Double], _ type: ElementType) -> [UInt8] {
        var words = [UInt16](repeating: 0, count: values.count)
        let floats = values.map(Float.init)
        switch type {
        case .f64: return values.withUnsafeBytes { Array($0) }
        case .f32: return floats.withUnsafeBytes { Array($0) }
        case .bf16: Narrowing.bf16(floats, into: &words, count: words.count)
        default: Narrowing.f16(floats, into: &words, count: words.count)
        }
        return words.withUnsafeBytes { Array($0) }
    }

    private func values(_ checkpoint: Checkpoint, _ name: String) throws -> [Double] {
        let view = try #require(try checkpoint.tensor(name))
        var result = [Double](repeating: 0, count: view.count)
        result.withUnsafeMutableBufferPointer { view.copyDoubles(from: 0, into: $0) }
        return result
    }

    @Test("the first tensor that does not match is named")
    func mismatch() throws {
        let a = try made("a.h5", seed: 1)
        func error(_ change: (inout [String: (shape: [Int], values: [Double])]) -> Void) throws -> String {
            let b = try made("b.h5", seed: 2, change: change)
            let failure = #expect(throws: CheckpointError.self) { try SameTensors.check(a, b) }
            return failure?.description ?? ""
        }
        let reshaped = try error { $0["t2"]?.shape = [4, 3] }
        #expect(reshaped.hasPrefix("b.h5: t2: its shape is 4 x 3; in a.h5 it is 3 x 4; "))
        #expect(try error { $0["t1"] = nil }.hasPrefix("b.h5: t1: there is no such tensor; a.h5 has one; "))
        #expect(
            try error { $0["s0"] = ([1], [1]) }.hasPrefix("a.h5: s0: there is no such tensor; b.h5 has one; "))
    }

    @Test("a random change is as long as the change, tensor by tensor, and what did not change stays")
    func random() throws {
        let a = try made("a.h5", seed: 1)
        let b = try made("b.h5", seed: 1) { contents in
            for place in 0..<400 { contents["t0"]?.values[place] += 0.5 }
            contents["t3"]?.values[0] += 2
        }
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        func drawn(_ draw: Int, seed: UInt64 = 7) throws -> Checkpoint {
            try PerturbedCheckpoint(
                a, asFarAs: b, seed: seed, draw: draw, label: "random", recipeJSON: Array("{}".utf8), pool: pool,
                control: RunControl()
            ).checkpoint
        }
        let random = try drawn(0)
        for name in ["t0", "t1", "t2", "t3"] {
            let (x, y, z) = (try values(a, name), try values(b, name), try values(random, name))
            func distance(_ other: [Double]) -> Double {
                zip(x, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            }
            #expect(abs(distance(z) - distance(y)) <= 1e-6 * distance(y), "\(name)")
            #expect((distance(y) == 0) == (x == z), "\(name)")
        }
        // Spread over the whole tensor, not where the change was.
        let changed = zip(try values(a, "t0"), try values(random, "t0")).count { $0 != $1 }
        #expect(changed > 33_000)
        #expect(try drawn(0).tensors.map(\.digest) == random.tensors.map(\.digest))
        #expect(try drawn(1).info("t0")?.digest != random.info("t0")?.digest)
        #expect(try drawn(0, seed: 8).info("t0")?.digest != random.info("t0")?.digest)
    }
}
