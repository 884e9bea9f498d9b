import Checkpoints
import Control
import Foundation
import HDF5
import LinearAlgebra
import Models
import Statistics
import TestSupport
import Testing

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Folders and safetensors files made by Scripts/goldens/odd_folders.py: one clear error each.
@Suite("Odd folders of safetensors")
struct OddFolderTests {
    private func error(_ path: String) -> CheckpointError? {
        do {
            _ = try Checkpoint.open(path)
            return nil
        } catch {
            return error as? CheckpointError
        }
    }

    @Test(
        "files are refused",
        arguments: [
            ("empty", .format, nil, "the file is empty"),
            ("short", .format, nil, "before its header's length"),
            ("lfs-pointer", .format, nil, "Git LFS pointer"),
            ("header-beyond-file", .truncated, nil, "its header goes to byte 5008, but the file has 80"),
            ("header-too-long", .limit, nil, "100000001 bytes"),
            ("header-length-negative", .limit, nil, "18446744073709551615 bytes"),
            ("header-length-zero", .format, nil, "does not begin with {"),
            ("cut", .truncated, "a", "go to 24, but only 20"),
            ("bytes-after", .inconsistent, nil, "last 8 bytes belong to no tensor"),
            ("no-tensors", .format, nil, "no tensors"),
            ("not-json", .format, nil, "not JSON"),
            ("not-utf8", .format, nil, "not UTF-8"),
            ("array", .format, nil, "does not begin with {"),
            ("text-after", .format, nil, "text after the end"),
            ("deep", .format, nil, "nested deeper than 64"),
            ("duplicate", .name, nil, "the key \"a\" twice"),
            ("duplicate-inside", .name, "a", "the key \"dtype\" twice"),
            ("same-letters", .name, nil, "two tensors have this name"),
            ("metadata-number", .format, "__metadata__", "\"format\" is an integer"),
            ("metadata-list", .format, "__metadata__", "an array"),
            ("entry-number", .format, "a", "an integer, no object"),
            ("no-name", .name, nil, "without a name"),
            ("long-name", .limit, nil, "2000 bytes"),
            ("no-dtype", .format, "a", "dtype is missing"),
            ("dtype-number", .format, "a", "dtype is missing, or no text"),
            ("no-shape", .format, "a", "shape is missing"),
            ("no-offsets", .format, "a", "data_offsets are missing"),
            ("negative-extent", .format, "a", "no list of whole numbers"),
            ("fraction", .format, "a", "no list of whole numbers"),
            ("huge-extent", .format, "a", "no list of whole numbers"),
            ("overflowing-shape", .inconsistent, "a", "4294967296 x 4294967296 overflows"),
            ("overflowing-bits", .inconsistent, "a", "overflows"),
            ("overflowing-unknown", .inconsistent, "a", "can't be in 12 bytes"),
            ("nine-dimensions", .inconsistent, "a", "9 dimensions"),
            ("three-offsets", .format, "a", "no two whole numbers"),
            ("negative-offset", .format, "a", "no two whole numbers"),
            ("offsets-backwards", .inconsistent, "a", "end at 0, before they begin at 24"),
            ("outside", .truncated, "a", "only 24 follow"),
            ("wrong-size", .inconsistent, "a", "needs 16 bytes, but it has 24"),
            ("half-byte", .inconsistent, "a", "needs 12 bits, but it has 8"),
            ("overlap", .inconsistent, "b", "overlap those of a"),
            ("same-bytes", .inconsistent, "b", "overlap those of a"),
            ("hole", .inconsistent, "b", "the 4 bytes before its own"),
            ("hole-at-start", .inconsistent, "a", "the 8 bytes before its own"),
        ] as [(String, CheckpointError.Kind, String?, String)])
    func file(name: String, kind: CheckpointError.Kind, object: String?, problem: String) throws {
        let path = modelFolder("odd/\(name).safetensors")
        let found = try #require(error(path))
        #expect(found.kind == kind)
        if let object { #expect(found.object == object) }
        #expect(found.problem.contains(problem), "\(found.problem)")
        #expect(found.file == path)
        #expect(!found.remedy.isEmpty)
    }

    @Test(
        "folders are refused",
        arguments: [
            ("tensor-not-there", .inconsistent, "b", "in model-2.safetensors, which does not have it"),
            ("tensor-elsewhere", .inconsistent, "a", "in model-1.safetensors, which does not have it"),
            ("tensor-twice", .name, "a", "model-1.safetensors has this tensor, too"),
            ("shard-missing", .notFound, nil, "no such file"),
            ("shard-outside", .name, "a", "\"../odd/plain.safetensors\" is not the name"),
            ("shard-absolute", .name, "a", "\"/etc/passwd\" is not the name"),
            ("shard-dots", .name, "a", "\"..\" is not the name"),
            ("shard-pickle", .name, "a", "\"pytorch_model.bin\" is not the name"),
            ("shard-number", .format, "a", "an integer, no text"),
            ("index-not-json", .format, nil, "not JSON"),
            ("index-empty", .format, nil, "weight_map is empty"),
            ("index-without-map", .format, nil, "no weight_map"),
            ("index-duplicate", .name, nil, "\"a\" twice"),
            ("both", .name, nil, "both model.safetensors and model.safetensors.index.json"),
            ("odd", .name, nil, "safetensors files, but neither"),
        ] as [(String, CheckpointError.Kind, String?, String)])
    func folder(name: String, kind: CheckpointError.Kind, object: String?, problem: String) throws {
        let found = try #require(error(modelFolder(name)))
        #expect(found.kind == kind)
        if let object { #expect(found.object == object) }
        #expect(found.problem.contains(problem), "\(found.problem)")
    }

    @Test("what is listed but in no index is still a tensor")
    func unlisted() throws {
        #expect(try Checkpoint.open(modelFolder("tensor-unlisted")).tensors.map(\.name) == ["a", "b", "c"])
    }

    @Test("folders without weights say what they have instead")
    func withoutWeights() throws {
        let folder = TemporaryFolder()
        #expect(error(folder.path)?.remedy.contains("name a Hugging Face folder") == true)
        writeBytes([], folder.file("model.h5"))
        #expect(error(folder.path)?.remedy == "open \(folder.file("model.h5"))")
        writeBytes([], folder.file("model.gguf"))
        #expect(error(folder.path)?.problem.contains("model.gguf is a GGUF file") == true)
        writeBytes([], folder.file("pytorch_model.bin"))
        #expect(error(folder.path)?.problem.contains("pytorch_model.bin, a pickle, which can run code") == true)
        writeBytes(readBytes(modelFolder("odd/plain.safetensors")), folder.file("x.safetensors"))
        #expect(error(folder.path)?.problem == "there is no config.json in this folder")
        writeBytes(Array("{}".utf8), folder.file("config.json"))
        #expect(error(folder.path) == nil)
        #expect(error(folder.file("model.safetensors"))?.kind == .notFound)
        mkfifo(folder.file("model.safetensors"), 0o600)
        #expect(error(folder.path)?.kind == .notRegular)
    }

    @Test("files that are something else say what")
    func somethingElse() throws {
        let folder = TemporaryFolder()
        for (start, problem) in [
            (Array("GGUF".utf8), "GGUF"), ([0x80, 0x04, 0x95], "pickle"), (Array("PK".utf8) + [3, 4], "pickle"),
        ] {
            writeBytes(start + [UInt8](repeating: 0, count: 60), folder.file("a"))
            #expect(error(folder.file("a"))?.problem.contains(problem) == true)
        }
    }

    @Test("names are escaped in errors")
    func escaped() throws {
        let folder = TemporaryFolder()
        writeBytes(Array("{}".utf8), folder.file("config.json"))
        let header = "{\"\\u001b[31mred\\u202e\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 8]}}"
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        writeBytes(length + Array(header.utf8) + [UInt8](repeating: 0, count: 8), folder.file("a.safetensors"))
        let found = try #require(error(folder.file("a.safetensors")))
        #expect(found.object == "\u{1B}[31mred\u{202E}")
        #expect(found.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }

    @Test("more values than tensors can need are refused before they take memory")
    func manyValues() throws {
        let folder = TemporaryFolder()
        var limits = Limits()
        limits.objects = 10
        for (name, count) in [("fits", 320), ("exceeds", 321)] {
            let header = "{\"a\": [\(Array(repeating: "0", count: count + 1).joined(separator: ","))]}"
            let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
            let path = folder.file("\(name).safetensors")
            writeBytes(length + Array(header.utf8), path)
            let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint.open(path, limits: limits) }
            #expect(error?.kind == (count == 320 ? .format : .limit))
        }
    }

    /// Damaged headers either open, and then every tensor can be read, or are refused.
    @Test("damaged files open or are refused", arguments: ["types", "misaligned", "float4", "plain"])
    func fuzz(name: String) throws {
        let folder = TemporaryFolder()
        writeBytes(Array("{}".utf8), folder.file("config.json"))
        let path = folder.file("model.safetensors")
        let whole = readBytes(modelFolder("odd/\(name).safetensors"))
        let alphabet = Array(#"0123456789-.eE{}[]",:\ FUIB_"#.utf8)
        var refused = 0
        var opened = 0
        for seed in 0..<500 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var bytes = whole
            switch seed % 5 {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            default:
                // Letters of the header, for others that it may have.
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let place = Int.random(in: 8..<bytes.count, using: &random)
                    bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }
            }
            writeBytes(bytes, path)
            do {
                let checkpoint = try Checkpoint.open(folder.path)
                opened += 1
                for info in checkpoint.tensors where info.unreadableType == nil {
                    let view = try #require(try checkpoint.tensor(info.name))
                    #expect(view.bytes.count == view.count * info.type.byteCount)
                }
                _ = try checkpoint.verify(control: RunControl())
            } catch is CheckpointError {
                refused += 1
            }
        }
        #expect(refused >= 100)
        #expect(opened >= 5)
    }
}
