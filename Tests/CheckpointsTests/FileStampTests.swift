import Control
import Foundation
import HDF5
import Synchronization
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
        let open = try folderCopy("mqa-bf16")
        let path = folder.file(name)
        guard FileManager.default.fileExists(atPath: path) else { return }
        try open.checkUnchanged()
        try overwrite(path)
        let error = #expect(throws: CheckpointError.self) { try open.checkUnchanged() }
        #expect(error?.kind == .changed && error?.file == path)
        try Checkpoint.open(folder.path).checkUnchanged()
    }

    /// A copy of a folder of the fixtures, of which `folder` then holds the files.
    private func folderCopy(_ name: String) throws -> Checkpoint {
        let source = NacreProcess.root.appending(path: "Tests/Fixtures/folders/\(name)").path
        for file in try FileManager.default.contentsOfDirectory(atPath: source) {
            _ = try copy("Tests/Fixtures/folders/\(name)/\(file)", file)
        }
        return try Checkpoint.open(folder.path)
    }

    @Test("a text beside the weights stays what it was when the folder was opened, whatever takes its name")
    func texts() throws {
        let open = try folderCopy("tiny-chat")
        let path = folder.file("tokenizer.json")
        let (before, digests) = (readBytes(path), try open.fileDigests(control: RunControl()).map(\.sha256))
        writeBytes(Array("{}".utf8), folder.file("new.json"))
        #expect(rename(folder.file("new.json"), path) == 0)
        try open.checkUnchanged()
        #expect(try open.tokenizerJSON() == before)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.removeItem(atPath: folder.file("generation_config.json"))
        // What was not there when the folder was opened is not taken in.
        writeBytes(Array("{{ messages }}".utf8), folder.file("chat_template.jinja"))
        try open.checkUnchanged()
        #expect(try open.tokenizerJSON() == before && open.generationConfigJSON() != nil)
        #expect(try open.fileDigests(control: RunControl()).map(\.sha256) == digests)
        let again = try Checkpoint.open(folder.path)
        #expect(try again.tokenizerJSON() == nil)
    }

    // MARK: A change of status alone

    private func status(_ path: String) -> stat {
        var status = stat()
        #expect(stat(path, &status) == 0)
        return status
    }

    /// Sets a file's time of writing to what it was, to the nanosecond.
    private func setBack(_ path: String, to before: stat) {
        #if canImport(Glibc)
            var times = [before.st_atim, before.st_mtim]
        #else
            var times = [before.st_atimespec, before.st_mtimespec]
        #endif
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
    }

    /// Waits until the clock of the file system has gone on.
    private func wait() { usleep(30_000) }

    /// What changes a file's status, but nothing of its contents.
    static let statusChanges: [(String, @Sendable (String) -> Void)] = [
        ("chmod", { _ = chmod($0, 0o600) }),
        ("chmod there and back", { path in [0o600, 0o644].forEach { _ = chmod(path, $0) } }),
        (
            "a link that came and went",
            { path in
                _ = link(path, path + ".link")
                _ = unlink(path + ".link")
            }
        ),
    ]

    @Test(
        "permissions and links that changed are no change of a checkpoint with digests",
        arguments: statusChanges.map(\.0))
    func harmless(name: String) throws {
        let change = try #require(Self.statusChanges.first { $0.0 == name }?.1)
        let path = try copy("Checkpoints/pearl-base.h5", "a.h5")
        let open = try Checkpoint.open(path)
        wait()
        change(path)
        let seen = Mutex<[Int]>([])
        try open.checkUnchanged(
            control: RunControl { done, total, _ in seen.withLock { $0 += [done, total] } })
        // It was compared, once.
        let total = open.tensors.reduce(0) { $0 + $1.byteCount }
        #expect(seen.withLock { $0.max() ?? 0 } >= total)
        try open.checkUnchanged(control: RunControl { _, _, _ in Issue.record("it was compared again") })
        #expect(try open.tensor("model.norm.weight") != nil && open.tokenizerJSON() != nil)
        // A write is noticed all the same.
        try overwrite(path)
        #expect(throws: HDF5Error.self) { try open.checkUnchanged() }
    }

    @Test("a change of status in the middle of a run is no change either")
    func harmlessLater() throws {
        let path = try copy("Checkpoints/pearl-base.h5", "a.h5")
        let open = try Checkpoint.open(path)
        wait()
        #expect(chmod(path, 0o600) == 0)
        #expect(try open.tensor("model.norm.weight") != nil)
        wait()
        #expect(chmod(path, 0o644) == 0)
        #expect(try open.tokenizerJSON() != nil)
    }

    @Test("the comparison of a file with its digests can be cancelled, and is made again")
    func cancelled() throws {
        let path = try copy("Checkpoints/pearl-base.h5", "a.h5")
        let open = try Checkpoint.open(path)
        wait()
        #expect(chmod(path, 0o600) == 0)
        let control = RunControl()
        control.cancel()
        #expect(throws: CancellationError.self) { try open.checkUnchanged(control: control) }
        try open.checkUnchanged()
    }

    @Test("a write with the time set back is noticed by the digests: in a tensor, and in a text that was read")
    func secretWrites() throws {
        let bytes = readBytes(NacreProcess.root.appending(path: "Checkpoints/pearl-base.h5").path)
        let config = try #require(bytes.firstRange(of: Array("\"hidden_size\": ".utf8))).upperBound
        for place in [bytes.count / 2, config] {
            let path = try copy("Checkpoints/pearl-base.h5", "\(place).h5")
            let open = try Checkpoint.open(path)
            let before = status(path)
            wait()
            try overwrite(path) { $0[place] ^= 1 }
            setBack(path, to: before)
            let error = #expect(throws: HDF5Error.self) { try open.checkUnchanged() }
            #expect(
                error?.kind == .changed && error?.object != nil
                    && error?.problem.contains("these bytes are not what they were") == true,
                "\(String(describing: error))")
            // What was found is kept.
            #expect(throws: HDF5Error.self) {
                try open.checkUnchanged(control: RunControl { _, _, _ in Issue.record("it was compared again") })
            }
            #expect(throws: HDF5Error.self) { try open.tensor("model.norm.weight") }
        }
    }

    @Test(
        "a file that was touched, of which all has digests, is what it was; of others it is said that its time changed")
    func touched() throws {
        let original = try Checkpoint.open(try copy("Checkpoints/pearl-base.h5", "a.h5"))
        let path = folder.file("b.h5")
        try CheckpointWriter.write(
            to: path, overwrite: false,
            source: CheckpointContents(copying: original, createdBy: "test", recipeJSON: Array("{}".utf8)),
            control: RunControl())
        let open = try Checkpoint.open(path)
        wait()
        for file in [path, folder.file("a.h5")] { #expect(utimes(file, nil) == 0) }
        try open.checkUnchanged()
        #expect(try open.tokenizerJSON() != nil)
        // A text of this one has no digest and was not read, so that the write may have been to it.
        let again = try Checkpoint.open(try copy("Checkpoints/pearl-base.h5", "c.h5"))
        wait()
        #expect(utimes(folder.file("c.h5"), nil) == 0)
        let error = #expect(throws: HDF5Error.self) { try again.checkUnchanged() }
        #expect(error?.problem == "the file was written to since it was opened: its time of writing changed")
        try overwrite(path)
        #expect(throws: HDF5Error.self) { try open.checkUnchanged() }
    }

    @Test("files without digests can't tell a chmod from a write with the time set back, and say so")
    func withoutDigests() throws {
        let open = try folderCopy("mqa-bf16")
        let path = folder.file("model-00002-of-00004.safetensors")
        wait()
        #expect(chmod(path, 0o600) == 0)
        let error = #expect(throws: CheckpointError.self) { try open.checkUnchanged() }
        #expect(error?.kind == .changed && error?.file == path)
        #expect(error?.problem.contains("its permissions, its links, or its contents") == true)
        try Checkpoint.open(folder.path).checkUnchanged()
        // A new link explains itself, and so does its removal.
        let again = try Checkpoint.open(folder.path)
        #expect(link(path, folder.file("link")) == 0)
        try again.checkUnchanged()
        wait()
        #expect(unlink(folder.file("link")) == 0)
        try again.checkUnchanged()
    }

    @Test("to ask whether a file changed takes microseconds")
    func cost() throws {
        let open = try Checkpoint.open(try copy("Tests/Fixtures/models/tiny-chat.h5", "a.h5"))
        let clock = ContinuousClock()
        let time = try clock.measure { for _ in 0..<1000 { try open.checkUnchanged() } }
        #expect(time < .milliseconds(200), "\(time) for a thousand")
    }
}
