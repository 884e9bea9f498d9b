import Foundation
import HDF5
import TestSupport
import Testing

@testable import Checkpoints

@Suite("A digest names the bytes that were used")
struct FileStampTests {
    private let folder = TemporaryFolder()

    private func copy(_ source: String, _ name: String) throws -> String {
        let path = folder.file(name)
        try FileManager.default.copyItem(atPath: NacreProcess.root.appending(path: source).path, toPath: path)
        return path
    }

    /// Writes other bytes over a file, as `cp` does: the same inode and the same size.
    private func overwrite(_ path: String, _ change: (inout [UInt8]) -> Void = { $0[$0.count / 2] ^= 1 }) throws {
        var bytes = readBytes(path)
        change(&bytes)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    @Test("a checkpoint that was written over is noticed, one of which the name was given to another file is not")
    func checkpoint() throws {
        let path = try copy("Tests/Fixtures/models/tiny-chat.h5", "a.h5")
        let open = try Checkpoint.open(path)
        try open.checkUnchanged()
        // Another file takes the name; the open one stays what it was.
        let other = try copy("Tests/Fixtures/models/tiny-chat.h5", "b.h5")
        #expect(rename(other, path) == 0)
        try open.checkUnchanged()
        let second = try Checkpoint.open(path)
        try FileManager.default.removeItem(atPath: path)
        try second.checkUnchanged()
        let third = try Checkpoint.open(try copy("Tests/Fixtures/models/tiny-chat.h5", "c.h5"))
        try overwrite(folder.file("c.h5"))
        let error = #expect(throws: HDF5Error.self) { try third.checkUnchanged() }
        #expect(error?.kind == .changed)
        #expect(throws: HDF5Error.self) { try third.tensor("model.norm.weight") }
        #expect(throws: HDF5Error.self) { try third.tokenizerJSON() }
    }

    @Test("a program that sets back the time of writing is noticed; a new name for the file is not")
    func times() throws {
        let path = try copy("Tests/Fixtures/models/tiny-chat.h5", "a.h5")
        let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        let open = try Checkpoint.open(path)
        #expect(rename(path, folder.file("b.h5")) == 0)
        try open.checkUnchanged()
        #expect(rename(folder.file("b.h5"), path) == 0)
        try overwrite(path)
        try FileManager.default.setAttributes([.modificationDate: date as Any], ofItemAtPath: path)
        #expect(throws: HDF5Error.self) { try open.checkUnchanged() }
    }

    @Test(
        "each file of a folder counts: shards, configuration, tokenizer",
        arguments: [
            "config.json", "model-00002-of-00004.safetensors", "tokenizer.json", "tokenizer_config.json",
        ])
    func folders(name: String) throws {
        let source = NacreProcess.root.appending(path: "Tests/Fixtures/folders/mqa-bf16").path
        for file in try FileManager.default.contentsOfDirectory(atPath: source) {
            _ = try copy("Tests/Fixtures/folders/mqa-bf16/\(file)", file)
        }
        let path = folder.file(name)
        guard FileManager.default.fileExists(atPath: path) else { return }
        let open = try Checkpoint.open(folder.path)
        try open.checkUnchanged()
        try overwrite(path)
        let error = #expect(throws: CheckpointError.self) { try open.checkUnchanged() }
        #expect(error?.kind == .changed && error?.file == path)
        try Checkpoint.open(folder.path).checkUnchanged()
    }

    @Test("a text beside the weights that was replaced or removed is noticed, since it is read later")
    func texts() throws {
        let source = NacreProcess.root.appending(path: "Tests/Fixtures/folders/tiny-chat").path
        for file in try FileManager.default.contentsOfDirectory(atPath: source) {
            _ = try copy("Tests/Fixtures/folders/tiny-chat/\(file)", file)
        }
        let open = try Checkpoint.open(folder.path)
        let path = folder.file("tokenizer.json")
        #expect(rename(path, folder.file("old.json")) == 0)
        #expect(throws: CheckpointError.self) { try open.checkUnchanged() }
        _ = try copy("Tests/Fixtures/folders/tiny-chat/tokenizer.json", "tokenizer.json")
        #expect(throws: CheckpointError.self) { try open.checkUnchanged() }
    }

    @Test("to ask whether a file changed takes microseconds")
    func cost() throws {
        let open = try Checkpoint.open(try copy("Tests/Fixtures/models/tiny-chat.h5", "a.h5"))
        let clock = ContinuousClock()
        let time = try clock.measure { for _ in 0..<1000 { try open.checkUnchanged() } }
        #expect(time < .milliseconds(200), "\(time) for a thousand")
    }
}
