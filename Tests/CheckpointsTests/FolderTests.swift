import Checkpoints
import Control
import Foundation
import HDF5
import LinearAlgebra
import Models
import TestSupport
import Testing

/// Hugging Face folders that open: made by Scripts/goldens/odd_folders.py with Python's own safetensors.
@Suite("Folders of safetensors")
struct FolderTests {
    private func model(_ name: String) throws -> Checkpoint {
        try Checkpoint.open(NacreProcess.root.appending(path: "Tests/Fixtures/models/\(name).h5").path)
    }

    @Test("have the same tensors as the checkpoint they were made from", arguments: ["mqa-bf16", "tiny-chat"])
    func sameTensors(name: String) throws {
        let folder = try Checkpoint.open(modelFolder(name))
        let file = try model(name)
        #expect(folder.tensors.map(\.name) == file.tensors.map(\.name))
        #expect(folder.tensors.map(\.type) == file.tensors.map(\.type))
        #expect(folder.tensors.map(\.shape) == file.tensors.map(\.shape))
        for info in folder.tensors {
            #expect(try bytes(folder, info.name) == bytes(file, info.name), "\(info.name)")
            #expect(info.digest == nil)
        }
        #expect(folder.configJSON == file.configJSON)
        #expect(try folder.tokenizerJSON() == file.tokenizerJSON())
        #expect(folder.label == name)
        #expect(folder.architecture == "llama")
        #expect(folder.formatVersion == nil)
        #expect(folder.formatName == (name == "tiny-chat" ? "safetensors" : "safetensors, 4 shards"))
    }

    @Test("say what each file was when it was opened, whatever takes its place")
    func fileStates() throws {
        let sharded = try Checkpoint.open(modelFolder("mqa-bf16"))
        #expect(sharded.fileStates.count == 4 && Set(sharded.fileStates).count == 4)
        #expect(sharded.fileStates[0].hasPrefix("model-00001-of-00004.safetensors, device "))
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let source = NacreProcess.root.appending(path: "Tests/Fixtures/models/tiny-chat.h5").path
        try FileManager.default.copyItem(atPath: source, toPath: path)
        let before = try Checkpoint.open(path)
        let state = before.fileStates
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: source, toPath: path)
        let after = try Checkpoint.open(path)
        // The first is still open, so its inode cannot have been given to the second.
        #expect(before.fileStates == state && after.fileStates != state)
        #expect(after.fileStates.count == 1 && after.fileStates[0].hasPrefix("a.h5, device "))
    }

    @Test("are opened by any of their paths")
    func paths() throws {
        let path = modelFolder("tiny-chat")
        for spelling in [path, path + "/", path + "//", path + "/.", path + "/model.safetensors"] {
            let folder = try Checkpoint.open(spelling)
            #expect(folder.label == "tiny-chat", "\(spelling)")
            #expect(folder.tensors.count == 21)
            #expect(try folder.tokenizerJSON() != nil)
        }
        let sharded = modelFolder("mqa-bf16")
        let indexed = try Checkpoint.open(sharded + "/model.safetensors.index.json")
        #expect(indexed.label == "mqa-bf16")
        #expect(indexed.tensors.count == 20)
        let shard = try Checkpoint.open(sharded + "/model-00002-of-00004.safetensors")
        #expect(shard.label == "model-00002-of-00004.safetensors")
        #expect((1..<20).contains(shard.tensors.count))
        #expect(try Checkpoint.open(modelFolder("both/model.safetensors")).tensors.map(\.name) == ["a"])
    }

    /// A download cache has links, and calls the folder by a digest.
    @Test("may be made of links, as in a download cache")
    func links() throws {
        let folder = TemporaryFolder()
        let snapshot = folder.file("models--someone--some-model-1B/snapshots/0123456789abcdef")
        let files = FileManager.default
        try files.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
        for name in ["config.json", "model.safetensors", "tokenizer.json", "generation_config.json"] {
            try files.createSymbolicLink(
                atPath: "\(snapshot)/\(name)", withDestinationPath: modelFolder("tiny-chat/\(name)"))
        }
        let opened = try Checkpoint.open(snapshot)
        #expect(opened.label == "some-model-1B")
        #expect(opened.tensors.count == 21)
        try files.removeItem(atPath: "\(snapshot)/tokenizer.json")
        try files.createSymbolicLink(atPath: "\(snapshot)/tokenizer.json", withDestinationPath: "../../blobs/gone")
        // What was opened stays open; opened again, the link leads nowhere.
        #expect(try opened.tokenizerJSON() == readBytes(modelFolder("tiny-chat/tokenizer.json")))
        let again = try Checkpoint.open(snapshot)
        let error = #expect(throws: CheckpointError.self) { _ = try again.tokenizerJSON() }
        #expect(error?.kind == .notFound)
        #expect(error?.problem == "this is a link to a file that is not there")
    }

    /// numpy.arange(4) of each type, written by Python.
    @Test("have elements of every type that numpy has")
    func types() throws {
        let folder = try Checkpoint.open(modelFolder("odd/types.safetensors"))
        func check<Number: BitwiseCopyable & Equatable>(_ name: String, _ type: ElementType, _ values: [Number]) throws
        {
            #expect(folder.describe(name)?.type == type)
            #expect(folder.describe(name)?.shape == [4])
            #expect(try bytes(folder, name) == values.withUnsafeBytes { Array($0) }, "\(name)")
        }
        try check("f8", .f64, [0.0, 1, 2, 3])
        try check("f4", .f32, [0, 1, 2, 3] as [Float])
        try check("f2", .f16, [0, 0x3C00, 0x4000, 0x4200] as [UInt16])
        try check("i8", .i64, [0, 1, 2, 3] as [Int64])
        try check("i4", .i32, [0, 1, 2, 3] as [Int32])
        try check("i2", .i16, [0, 1, 2, 3] as [Int16])
        try check("i1", .i8, [0, 1, 2, 3] as [Int8])
        try check("u8", .u64, [0, 1, 2, 3] as [UInt64])
        try check("u4", .u32, [0, 1, 2, 3] as [UInt32])
        try check("u2", .u16, [0, 1, 2, 3] as [UInt16])
        try check("u1", .u8, [0, 1, 2, 3] as [UInt8])
        try check("?", .u8, [0, 1, 1, 1] as [UInt8])
    }

    @Test("are mapped where elements are aligned, and copied where they are not")
    func misaligned() throws {
        let folder = try Checkpoint.open(modelFolder("odd/misaligned.safetensors"))
        #expect(folder.tensors.map(\.storage) == ["contiguous", "contiguous, misaligned", "contiguous, misaligned"])
        let a = try #require(try folder.tensor("a"))
        #expect(a.isFileMapping && Array(a.bytes) == [1, 2, 3])
        for (name, alignment) in [("b", 4), ("c", 2)] {
            let view = try #require(try folder.tensor(name))
            #expect(!view.isFileMapping)
            #expect(Int(bitPattern: view.bytes.baseAddress) % alignment == 0)
        }
        #expect(try floats(folder, "b") == [0, 1, 2, 3, 4, 5])
        #expect(try bytes(folder, "c") == [0x80, 0x3F, 0, 0x40])
        let header = try Checkpoint.open(modelFolder("odd/misaligned-header.safetensors"))
        #expect(try header.tensor("a")?.isFileMapping == false)
        #expect(try floats(header, "a") == [0, 1, 2, 3, 4, 5])
        var limits = Limits()
        limits.decodedBytes = 23
        let limited = try Checkpoint.open(modelFolder("odd/misaligned.safetensors"), limits: limits)
        #expect(throws: CheckpointError.self) { _ = try limited.tensor("b") }
    }

    private func floats(_ checkpoint: Checkpoint, _ name: String) throws -> [Float] {
        let view = try #require(try checkpoint.tensor(name))
        return withExtendedLifetime(view) { Array(view.bytes.assumingMemoryBound(to: Float.self)) }
    }

    @Test("may hold scalars, empty tensors and an order of their own")
    func oddShapes() throws {
        let folder = try Checkpoint.open(modelFolder("odd/empty-and-scalar.safetensors"))
        #expect(folder.describe("scalar")?.shape == [])
        #expect(try floats(folder, "scalar") == [0])
        #expect(folder.describe("none")?.shape == [0, 3])
        #expect(try folder.tensor("none")?.bytes.isEmpty == true)
        let order = try Checkpoint.open(modelFolder("odd/other-order.safetensors"))
        #expect(order.tensors.map(\.name) == ["a", "b"])
        #expect(try floats(order, "b") == [1])
    }

    @Test(
        "list elements that can't be read, and refuse them when they are used",
        arguments: [
            ("float8", "a.weight", "F8_E4M3", 6), ("float4", "a", "F4", 8), ("float4", "c", "C64", 1),
            ("unknown-type", "a", "INT3_GGML", 6),
        ])
    func unreadable(file: String, name: String, type: String, count: Int) throws {
        let folder = try Checkpoint.open(modelFolder("odd/\(file).safetensors"))
        let info = try #require(folder.info(name))
        #expect(info.typeName == type)
        #expect(info.count == count)
        let error = #expect(throws: CheckpointError.self) { _ = try folder.tensor(name) }
        #expect(error?.kind == .type)
        #expect(error?.object == name)
        #expect(error?.problem.contains(type) == true)
        let rows = try folder.verify(control: RunControl())
        #expect(rows.allSatisfy { $0.state == .noDigest })
    }

    @Test("verify counts NaN and Inf, and says that there are no digests")
    func verification() throws {
        let rows = try Checkpoint.open(modelFolder("odd/nan.safetensors")).verify(control: RunControl())
        #expect(
            rows == [
                VerificationRow(name: "/config.json", state: .noDigest, nanCount: 0, infiniteCount: 0),
                VerificationRow(name: "a", state: .noDigest, nanCount: 2, infiniteCount: 2),
            ])
    }

    @Test("say which shard was cut")
    func cut() throws {
        let folder = TemporaryFolder()
        let source = modelFolder("mqa-bf16")
        for name in try FileManager.default.contentsOfDirectory(atPath: source) {
            try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: folder.file(name))
        }
        let opened = try Checkpoint.open(folder.path)
        let shard = folder.file("model-00003-of-00004.safetensors")
        let names = try Checkpoint.open(shard).tensors.map(\.name)
        // One tensor is mapped before, and one after.
        _ = try opened.tensor(names[0])
        writeBytes(Array(readBytes(shard).dropLast()), shard)
        let error = #expect(throws: CheckpointError.self) { _ = try opened.tensor(names[0]) }
        #expect(error?.kind == .changed)
        #expect(error?.file == shard)
        #expect(throws: CheckpointError.self) { try opened.checkUnchanged() }
        #expect(throws: CheckpointError.self) { _ = try opened.verify(control: RunControl()) }
        let other = try #require(opened.tensors.first { !names.contains($0.name) })
        #expect(try opened.tensor(other.name) != nil)
    }

    @Test("are saved as a checkpoint, with digests, the texts and where they came from")
    func save() throws {
        let folder = TemporaryFolder()
        let hub = folder.file("hub")
        try FileManager.default.copyItem(atPath: modelFolder("tiny-chat"), toPath: hub)
        let template = "{{ messages[0].content }}\n\u{7}\"é\\"
        writeBytes(Array(template.utf8), hub + "/chat_template.jinja")
        writeBytes(Array(#"{"unk_token": "?", "bos_token": "ignored"}"#.utf8), hub + "/special_tokens_map.json")
        let opened = try Checkpoint.open(hub)
        let digests = try opened.fileDigests(control: RunControl())
        #expect(
            digests.map(\.name) == [
                "hub/chat_template.jinja", "hub/config.json", "hub/generation_config.json", "hub/model.safetensors",
                "hub/special_tokens_map.json", "hub/tokenizer.json", "hub/tokenizer_config.json",
            ])
        for (name, sha256) in digests { #expect(sha256 == Digest.sha256(readBytes(folder.file(name))), "\(name)") }
        let contents = try CheckpointContents(copying: opened, createdBy: "test", recipeJSON: Array("{}".utf8))
        let path = folder.file("saved.h5")
        try CheckpointWriter.write(to: path, overwrite: false, source: contents, control: RunControl())
        let saved = try Checkpoint.open(path)
        #expect(saved.source == "hub")
        #expect(saved.architecture == "llama")
        #expect(saved.tensors.allSatisfy { $0.digest != nil })
        #expect(try saved.generationConfigJSON() == readBytes(hub + "/generation_config.json"))
        for info in opened.tensors { #expect(try bytes(saved, info.name) == bytes(opened, info.name)) }
        #expect(try saved.verify(control: RunControl()).allSatisfy { $0.state == .matches })
        // One place in a checkpoint for what folders have three files for.
        let text = try #require(try saved.tokenizerConfigJSON())
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
        let before = try #require(
            try JSONSerialization.jsonObject(with: Data(readBytes(hub + "/tokenizer_config.json"))) as? [String: Any])
        #expect(json["chat_template"] as? String == template)
        #expect(json["unk_token"] as? String == "?" || before["unk_token"] != nil)
        #expect(json["bos_token"] as? String == before["bos_token"] as? String)
        #expect(Set(json.keys).isSuperset(of: before.keys))
    }
}
