import Checkpoints
import Control
import HDF5
import LinearAlgebra
import Testing
import TestSupport

struct VerificationTests {
    @Test(arguments: [1, 2, 5])
    func wholeFileMatchesItsDigests(threads: Int) throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        try CheckpointWriter.write(to: path, overwrite: false, source: sampleContents(), control: RunControl())
        let rows = try Checkpoint.open(path).verify(control: RunControl(), threads: threads)
        #expect(
            rows.map(\.name) == [
                "/config.json", "/recipe.json", "/tokenizer/chat.json", "/tokenizer/tokenizer.json",
                "lm_head.weight", "model.embed_tokens.weight", "model.norm.weight",
            ])
        #expect(rows.allSatisfy { $0.state == .matches })
    }

    @Test func changedByteIsFound() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        try CheckpointWriter.write(to: path, overwrite: false, source: sampleContents(), control: RunControl())
        let offset = try #require(try Checkpoint.open(path).info("lm_head.weight")?.offset)
        var whole = readBytes(path)
        whole[offset + 5] ^= 1
        writeBytes(whole, path)
        let rows = try Checkpoint.open(path).verify(control: RunControl())
        #expect(rows.filter { $0.state != .matches }.map(\.name) == ["lm_head.weight"])
        #expect(rows.first { $0.name == "lm_head.weight" }?.state == .mismatch)
    }

    @Test func nonFiniteValuesAreCounted() throws {
        let rows = try Checkpoint.open(oddFile("nan")).verify(control: RunControl())
        #expect(
            rows == [
                VerificationRow(name: "/config.json", state: .noDigest, nanCount: 0, infiniteCount: 0),
                VerificationRow(name: "a", state: .noDigest, nanCount: 0, infiniteCount: 0),
                VerificationRow(name: "b", state: .noDigest, nanCount: 2, infiniteCount: 2),
                VerificationRow(name: "c", state: .noDigest, nanCount: 2, infiniteCount: 2),
            ])
    }

    @Test func damagedChunkIsOneRow() throws {
        let rows = try Checkpoint.open(oddFile("bad-fletcher")).verify(control: RunControl())
        #expect(rows.map(\.name) == ["/config.json", "a", "b"])
        guard case .unreadable(let reason) = rows[2].state else {
            Issue.record("\(rows[2].state)")
            return
        }
        #expect(reason.contains("Fletcher32"))
    }

    @Test func cancellationThrows() throws {
        let control = RunControl()
        control.cancel()
        #expect(throws: CancellationError.self) {
            _ = try Checkpoint.open(oddFile("nan")).verify(control: control)
        }
    }

    /// FIPS 180-4's examples.
    @Test func digestsAreSHA256() {
        #expect(Digest.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.sha256([UInt8]()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
