import Checkpoints
import Control
import LinearAlgebra
import Models
import TestSupport
import Testing

/// Checkpoints in memory, made from others.
struct DerivedCheckpointTests {
    private let folder = TemporaryFolder()

    private func original() throws -> Checkpoint {
        let path = folder.file("model.h5")
        try CheckpointWriter.write(to: path, overwrite: true, source: sampleContents(), control: RunControl())
        return try Checkpoint.open(path)
    }

    private func derived(_ original: Checkpoint) throws -> Checkpoint {
        var derivation = Derivation(of: original, recipeJSON: Array(#"{"made": 1}"#.utf8))
        derivation.tensors = [
            try MemoryTensor(name: "model.norm.weight", type: .f32, shape: [4], file: "new") {
                $0.copyBytes(from: (1...4).flatMap { value in withUnsafeBytes(of: Float(value)) { Array($0) } })
            }
        ]
        derivation.copies = ["again.weight": "lm_head.weight"]
        try derivation.configure("tie_word_embeddings", false)
        return try Checkpoint(derivation, label: "new")
    }

    @Test func whatIsReplacedIsNewAndTheRestIsTheOriginals() throws {
        let original = try original()
        let checkpoint = try derived(original)
        #expect(checkpoint.label == "new")
        #expect(checkpoint.formatName == "in memory, from model.h5")
        #expect(checkpoint.architecture == "llama")
        #expect(
            checkpoint.tensors.map(\.name)
                == ["again.weight", "lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"])
        #expect(checkpoint.describe("model.norm.weight")?.type == .f32)
        let norm = try #require(try checkpoint.tensor("model.norm.weight"))
        #expect(Array(norm.bytes.assumingMemoryBound(to: Float.self)) == [1, 2, 3, 4])
        #expect(!norm.isFileMapping)
        #expect(try bytes(checkpoint, "again.weight") == bytes(original, "lm_head.weight"))
        // The original's pages, not a copy.
        let place = try #require(try checkpoint.tensor("lm_head.weight")).bytes.baseAddress
        #expect(try original.tensor("lm_head.weight")?.bytes.baseAddress == place)
        #expect(
            String(decoding: checkpoint.configJSON ?? [], as: UTF8.self)
                == #"{"model_type": "llama", "tie_word_embeddings": false}"# + "\n")
        #expect(checkpoint.recipeJSON == Array(#"{"made": 1}"#.utf8))
        #expect(try checkpoint.tokenizerJSON() == original.tokenizerJSON())
        #expect(checkpoint.derivation?.fileType("model.norm.weight") == .f16)
        #expect(checkpoint.derivation?.fileType("again.weight") == .f32)
        #expect(checkpoint.fileSize == 48 + 48 + 56 + 16)
        #expect(checkpoint.fileStates != original.fileStates)
    }

    @Test func digestsAreThoseOfTheBytesAndVerify() throws {
        let original = try original()
        let checkpoint = try derived(original)
        for info in checkpoint.tensors { #expect(info.digest == Digest.sha256(try bytes(checkpoint, info.name))) }
        let rows = try checkpoint.verify(control: RunControl())
        #expect(rows.map(\.name).contains("/config.json"))
        #expect(rows.count == 4 + 4)
        #expect(rows.allSatisfy { $0.state == .matches })
        let statistics = try TensorStatistics(
            of: #require(try checkpoint.tensor("model.norm.weight")), control: RunControl())
        #expect(statistics.mean == 2.5)
    }

    @Test func savedAndOpenedItIsTheSame() throws {
        let checkpoint = try derived(try original())
        let path = folder.file("saved.h5")
        let contents = try CheckpointContents(
            copying: checkpoint, createdBy: "nacre test", recipeJSON: checkpoint.recipeJSON ?? [])
        try CheckpointWriter.write(to: path, overwrite: false, source: contents, control: RunControl())
        let saved = try Checkpoint.open(path)
        #expect(saved.tensors.map(\.digest) == checkpoint.tensors.map(\.digest))
        #expect(saved.tensors.map(\.type) == checkpoint.tensors.map(\.type))
        #expect(saved.configJSON == checkpoint.configJSON)
        #expect(saved.source == "memory")
    }

    @Test func itIsUsableWithoutTheOriginalAndCanBeDerivedFromAgain() throws {
        var first: Checkpoint? = try derived(try original())
        let kept = try #require(first)
        var derivation = Derivation(of: kept, recipeJSON: [])
        derivation.prefix = "x."
        derivation.copies = ["y": "model.norm.weight"]
        let second = try Checkpoint(derivation, label: "second")
        first = nil
        #expect(second.tensors.map(\.name).first == "x.again.weight")
        #expect(try bytes(second, "y") == bytes(kept, "model.norm.weight"))
        #expect(second.derivation?.fileType("x.model.norm.weight") == .f16)
        #expect(second.derivation?.fileType("y") == .f16)
        #expect(second.derivation?.fileType("none") == nil)
        #expect(second.recipeJSON == nil)
    }

    @Test func packedTensorsAreDecodedOnceForBoth() throws {
        let original = try Checkpoint.open(oddFile("packed"))
        let checkpoint = try Checkpoint(Derivation(of: original, recipeJSON: []), label: "packed")
        let place = try #require(try checkpoint.tensor("deflated")).bytes.baseAddress
        #expect(try original.tensor("deflated")?.bytes.baseAddress == place)
    }

    @Test func aFileThatWasCutIsNoticed() throws {
        let original = try original()
        let checkpoint = try derived(original)
        writeBytes(Array(readBytes(folder.file("model.h5")).prefix(2000)), folder.file("model.h5"))
        #expect(throws: (any Error).self) { try checkpoint.checkUnchanged() }
        #expect(throws: (any Error).self) { _ = try checkpoint.tensor("lm_head.weight") }
    }
}
