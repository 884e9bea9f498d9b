import Checkpoints
import Control
import HDF5
import LinearAlgebra
import Models
import Testing
import TestSupport

struct RoundTripTests {
    @Test func everythingThatIsWrittenIsRead() throws {
        let folder = TemporaryFolder()
        let path = folder.file("model.h5")
        let contents = sampleContents()
        try CheckpointWriter.write(to: path, overwrite: false, source: contents, control: RunControl())
        #expect(folder.names == ["model.h5"])

        let checkpoint = try Checkpoint.open(path)
        #expect(checkpoint.label == "model.h5")
        #expect(checkpoint.formatVersion == 1)
        #expect(checkpoint.architecture == "llama")
        #expect(checkpoint.createdBy == "nacre test")
        #expect(checkpoint.source == "memory")
        #expect(checkpoint.configJSON == contents.configJSON)
        #expect(checkpoint.recipeJSON == contents.recipeJSON)
        #expect(try checkpoint.tokenizerJSON() == contents.tokenizerJSON)
        #expect(try checkpoint.tokenizerConfigJSON() == nil)
        #expect(try checkpoint.chatJSON() == contents.chatJSON)
        #expect(checkpoint.fileSize == readBytes(path).count)
        #expect(
            checkpoint.tensors.map(\.name) == ["lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"])
        for tensor in contents.tensors {
            let info = try #require(checkpoint.info(tensor.name))
            #expect(info.type == tensor.type)
            #expect(info.shape == tensor.shape)
            #expect(info.storage == "contiguous")
            #expect(try #require(info.offset) % 64 == 0)
            let expected = Array(try tensor.load().bytes)
            #expect(try bytes(checkpoint, tensor.name) == expected)
            #expect(info.digest == Digest.sha256(expected))
        }
        #expect(try checkpoint.tensor("none") == nil)
        #expect(checkpoint.describe("none") == nil)
        #expect(checkpoint.describe("model.norm.weight")?.type == .f16)
    }

    @Test func uneditedTensorsAreBitIdenticalAfterASave() throws {
        let folder = TemporaryFolder()
        let (first, second) = (folder.file("a.h5"), folder.file("b.h5"))
        try CheckpointWriter.write(to: first, overwrite: false, source: sampleContents(), control: RunControl())
        let original = try Checkpoint.open(first)
        var edited = try CheckpointContents(copying: original, createdBy: "nacre test", recipeJSON: [0x7B, 0x7D])
        edited.replace(view("model.norm.weight", .f16, [4], [UInt8](repeating: 9, count: 8)))
        try CheckpointWriter.write(to: second, overwrite: false, source: edited, control: RunControl())
        let copy = try Checkpoint.open(second)
        for name in ["lm_head.weight", "model.embed_tokens.weight"] {
            #expect(try bytes(copy, name) == bytes(original, name))
            #expect(copy.info(name)?.digest == original.info(name)?.digest)
        }
        #expect(try bytes(copy, "model.norm.weight") == [UInt8](repeating: 9, count: 8))
        #expect(try copy.tokenizerJSON() == original.tokenizerJSON())
    }

    /// Saving over the file that is open: what is mapped stays what it was.
    @Test func openFileCanBeReplaced() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        try CheckpointWriter.write(to: path, overwrite: false, source: sampleContents(), control: RunControl())
        let original = try Checkpoint.open(path)
        let before = try bytes(original, "model.norm.weight")
        var edited = try CheckpointContents(copying: original, createdBy: "x", recipeJSON: [])
        edited.replace(view("model.norm.weight", .f16, [4], [UInt8](repeating: 9, count: 8)))
        #expect(throws: HDF5Error.self) {
            try CheckpointWriter.write(to: path, overwrite: false, source: edited, control: RunControl())
        }
        try CheckpointWriter.write(to: path, overwrite: true, source: edited, control: RunControl())
        #expect(try bytes(original, "model.norm.weight") == before)
        #expect(try bytes(try Checkpoint.open(path), "model.norm.weight") == [UInt8](repeating: 9, count: 8))
    }

    @Test func packedAndForeignTensorsAreDecoded() throws {
        let checkpoint = try Checkpoint.open(oddFile("packed"))
        let expected = (0..<240).map { Float($0) / 7 }
        for name in ["plain", "chunked", "deflated", "big", "big-deflated"] {
            let tensor = try #require(try checkpoint.tensor(name))
            #expect(tensor.type == .f32)
            withExtendedLifetime(tensor) {
                #expect(Array(tensor.bytes.assumingMemoryBound(to: Float.self)) == expected)
            }
            // The second use is served from memory.
            #expect(try checkpoint.tensor(name)?.bytes.baseAddress == tensor.bytes.baseAddress)
        }
        #expect(checkpoint.info("deflated")?.offset == nil)
        #expect(checkpoint.info("big-bf16")?.type == .bf16)
        #expect(checkpoint.info("big-bf16")?.storage == "contiguous, big-endian")
    }

    @Test func plainDumpsOpenWithAConfiguration() throws {
        let folder = TemporaryFolder()
        let config = folder.file("config.json")
        writeBytes(Array("{}".utf8), config)
        let flat = try Checkpoint.open(oddFile("flat"), configurationPath: config)
        #expect(flat.formatVersion == nil)
        #expect(flat.configJSON == Array("{}".utf8))
        #expect(flat.tensors.map(\.name) == ["lm_head.weight", "model.norm.weight"])
        #expect(try bytes(flat, "model.norm.weight") == [2, 2, 2, 2, 2, 2, 2, 2].map(Float.init).flatMap(floatBytes))
        let nested = try Checkpoint.open(oddFile("nested"), configurationPath: config)
        #expect(nested.tensors.map(\.name) == ["model.layers.0.q.weight", "model.norm.weight"])
        let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint.open(oddFile("flat")) }
        #expect(error?.kind == .configuration)
        #expect(error?.description.contains("--config config.json") == true)
        #expect(throws: CheckpointError.self) {
            _ = try Checkpoint.open(oddFile("flat"), configurationPath: folder.path)
        }
    }

    private func floatBytes(_ value: Float) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    @Test(
        arguments: [
            ("newer", .version, "format version 2"),
            ("version-text", .version, "no positive integer"),
            ("wrong-format", .format, "\"something-else\""),
            ("capture-as-checkpoint", .format, "\"nacre-capture\""),
            ("format-integer", .format, "not a text"),
            ("escape-in-attribute", .format, "\\e[2Jnacre\\u{2066}\\u{200D}\\u{9B}"),
            ("no-tensors", .format, "no tensors"),
            ("two-names", .name, "/a.b"),
            ("text-not-bytes", .inconsistent, "text must be 1-D uint8"),
        ] as [(String, CheckpointError.Kind, String)])
    func oddCheckpointIsRefused(name: String, kind: CheckpointError.Kind, problem: String) throws {
        let error = try #require(throws: CheckpointError.self) { _ = try Checkpoint.open(oddFile(name)) }
        #expect(error.kind == kind)
        #expect(error.problem.contains(problem), "\(error.problem)")
    }

    @Test func fileThatShrinksIsNoticedBeforeItsMapIsTouched() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        try CheckpointWriter.write(to: path, overwrite: false, source: sampleContents(), control: RunControl())
        let checkpoint = try Checkpoint.open(path)
        writeBytes([], path)
        #expect(throws: HDF5Error.self) { try checkpoint.checkUnchanged() }
        #expect(throws: HDF5Error.self) { _ = try checkpoint.tensor("lm_head.weight") }
        #expect(throws: HDF5Error.self) { _ = try checkpoint.verify(control: RunControl()) }
    }
}

struct InterruptedWriteTests {
    private struct Refusal: Error {}

    /// The third tensor fails: the old file stays, no temporary file does.
    @Test func failureMidwayLeavesTheOldFile() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        writeBytes([1, 2, 3], path)
        var contents = sampleContents()
        contents.tensors[2] = .init(name: "z", type: .f32, shape: [2]) {
            #expect(folder.names.count == 2)
            throw Refusal()
        }
        #expect(throws: Refusal.self) {
            try CheckpointWriter.write(to: path, overwrite: true, source: contents, control: RunControl())
        }
        #expect(folder.names == ["a.h5"])
        #expect(readBytes(path) == [1, 2, 3])
    }

    @Test func cancellationLeavesNothing() throws {
        let folder = TemporaryFolder()
        let control = RunControl()
        var contents = sampleContents()
        let last = contents.tensors[2]
        contents.tensors[2] = .init(name: last.name, type: last.type, shape: last.shape) {
            control.cancel()
            return try last.load()
        }
        #expect(throws: CancellationError.self) {
            try CheckpointWriter.write(
                to: folder.file("a.h5"), overwrite: false, source: contents, control: control)
        }
        #expect(folder.names.isEmpty)
    }

    @Test func contradictoryTensorsAreRefused() throws {
        let folder = TemporaryFolder()
        let good = sampleContents()
        func refuses(_ edit: (inout CheckpointContents) -> Void, _ kind: CheckpointError.Kind) {
            var contents = good
            edit(&contents)
            let error = #expect(throws: CheckpointError.self) {
                try CheckpointWriter.write(
                    to: folder.file("a.h5"), overwrite: false, source: contents, control: RunControl())
            }
            #expect(error?.kind == kind)
            #expect(folder.names.isEmpty)
        }
        refuses({ $0.tensors.append($0.tensors[0]) }, .name)
        refuses({ $0.tensors.append(tensor(view("a/b", .f32, [1], [0, 0, 0, 0]))) }, .name)
        refuses({ $0.tensors.append(tensor(view("", .f32, [1], [0, 0, 0, 0]))) }, .name)
        refuses({ $0.tensors.append(tensor(view("a", .f32, [], [0, 0, 0, 0]))) }, .inconsistent)
        refuses({ $0.tensors.append(tensor(view("a", .f32, [2], [0, 0, 0, 0]))) }, .inconsistent)
        refuses({ $0.tensors.append(tensor(view("a", .f32, [1 << 40, 1 << 40], []))) }, .inconsistent)
        refuses(
            {
                $0.tensors[0] = .init(
                    name: "a", type: .f32, shape: [1], digest: String(repeating: "0", count: 64)
                ) { view("a", .f32, [1], [0, 0, 0, 0]) }
            }, .digest)
    }
}
