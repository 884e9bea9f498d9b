import Checkpoints
import Control
import LinearAlgebra
import Models
import TestSupport
import Testing

/// What `save` writes of a checkpoint in memory.
struct RoundedCheckpointTests {
    private let folder = TemporaryFolder()

    private func derived(embedding: Float, norm: Float) throws -> Checkpoint {
        let path = folder.file("model.h5")
        try CheckpointWriter.write(to: path, overwrite: true, source: sampleContents(), control: RunControl())
        var derivation = Derivation(of: try Checkpoint.open(path), recipeJSON: [])
        func tensor(_ name: String, _ shape: [Int], _ value: Float) throws -> MemoryTensor {
            try MemoryTensor(name: name, type: .f32, shape: shape, file: "new") { target in
                for index in 0..<shape.reduce(1, *) {
                    target.storeBytes(of: value * Float(index + 1), toByteOffset: 4 * index, as: Float.self)
                }
            }
        }
        derivation.tensors = [
            try tensor("model.embed_tokens.weight", [7, 4], embedding), try tensor("model.norm.weight", [4], norm),
            try tensor("new.weight", [2], 1.1),
        ]
        return try Checkpoint(derivation, label: "new")
    }

    @Test func tensorsGoBackToTheTypesOfTheFileAndTheLargestChangeIsNamed() throws {
        let checkpoint = try derived(embedding: 1.001, norm: 0.5)
        let rounded = try #require(try RoundedCheckpoint(checkpoint, recipeJSON: [1], control: RunControl()))
        #expect(rounded.tensors == ["model.embed_tokens.weight", "model.norm.weight"])
        #expect(rounded.types == [.bf16, .f16])
        let result = rounded.checkpoint
        #expect(result.describe("model.embed_tokens.weight")?.type == .bf16)
        #expect(result.describe("model.norm.weight")?.type == .f16)
        // Nothing in the file has this name.
        #expect(result.describe("new.weight")?.type == .f32)
        #expect(try bytes(result, "lm_head.weight") == bytes(checkpoint, "lm_head.weight"))
        #expect(result.recipeJSON == [1])
        let view = try #require(try result.tensor("model.embed_tokens.weight"))
        var values = [Float](repeating: 0, count: 28)
        Widening.widen(view.bytes.baseAddress!, .bf16, into: &values, count: 28)
        let changes = values.enumerated().map { abs(Double($1) - Double(1.001 * Float($0 + 1))) }
        #expect(rounded.largest?.change == changes.max())
        #expect(rounded.largest?.tensor == "model.embed_tokens.weight")
        #expect(changes.allSatisfy { $0 <= 16.0 / 256 })
    }

    @Test func whatTheTypeCannotHoldIsRefusedByName() throws {
        let checkpoint = try derived(embedding: 1, norm: 1e5)
        let error = #expect(throws: CheckpointError.self) {
            try RoundedCheckpoint(checkpoint, recipeJSON: [], control: RunControl())
        }
        #expect(error?.object == "model.norm.weight")
        #expect(error?.remedy.contains("--type f32") == true)
    }

    @Test func thereIsNothingToRoundInWhatWasOpened() throws {
        let checkpoint = try derived(embedding: 1, norm: 1)
        let file = try #require(checkpoint.derivation?.original)
        #expect(try RoundedCheckpoint(file, recipeJSON: [], control: RunControl()) == nil)
        let same = try Checkpoint(Derivation(of: file, recipeJSON: []), label: "same")
        #expect(try RoundedCheckpoint(same, recipeJSON: [], control: RunControl()) == nil)
    }
}
