import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Models
import TestSupport
import Testing
import Tokenizers

@Suite("Models from folders")
struct FolderTests {
    private func logits(_ checkpoint: Checkpoint) throws -> [UInt32] {
        let model = try Architectures.decoder(JSONValueReader.read(checkpoint), weights: checkpoint)
        let runner = Runner(model: model, pool: try ThreadPool(threadCount: 2))
        let configuration = model.configuration
        let tokens = (0..<40).map { Int32($0 * 7 % configuration.vocabularySize) }
        var result: [UInt32] = []
        let request = LogitsRequest(rows: Array(tokens.indices)) { range, values, _ in
            let count = range.count * configuration.vocabularySize
            result += UnsafeBufferPointer(start: values, count: count).map(\.bitPattern)
        }
        try runner.run(TokenSequences([tokens]), logits: request, control: RunControl())
        return result
    }

    @Test("give the same bits as the checkpoint of the same model", arguments: ["mqa-bf16", "tiny-chat"])
    func sameBits(name: String) throws {
        let file = NacreProcess.root.appending(path: "Tests/Fixtures/models/\(name).h5").path
        let expected = try logits(Checkpoint.open(file))
        #expect(expected.count >= 40)
        #expect(try logits(Checkpoint.open(modelFolder(name))) == expected)
    }

    /// Every architecture, in three shards; then at odd addresses, so that every tensor must be copied.
    @Test(
        "give the same bits in shards, aligned or not", arguments: ["gpt2", "gpt-neox", "phi3", "gemma2", "bias-f16"])
    func shards(name: String) throws {
        let file = try Checkpoint.open(NacreProcess.root.appending(path: "Tests/Fixtures/models/\(name).h5").path)
        let expected = try logits(file)
        for padding in [0, 3] {
            let folder = TemporaryFolder()
            try write(file, shards: 3, padding: padding, to: folder)
            let opened = try Checkpoint.open(folder.path)
            #expect(opened.tensors.allSatisfy { ($0.offset == nil) == (padding > 0) })
            #expect(try logits(opened) == expected, "\(padding)")
        }
    }

    /// A checkpoint as a folder, its headers followed by blanks to a multiple of 8, and `padding` more.
    private func write(_ checkpoint: Checkpoint, shards: Int, padding: Int, to folder: TemporaryFolder) throws {
        var map: [String] = []
        for shard in 0..<shards {
            var header: [String] = []
            var data: [UInt8] = []
            for (index, info) in checkpoint.tensors.enumerated() where index % shards == shard {
                let view = try #require(try checkpoint.tensor(info.name))
                let begin = data.count
                withExtendedLifetime(view) { data += view.bytes }
                header.append(
                    "\"\(info.name)\": {\"dtype\": \"\(info.type.rawValue.uppercased())\", \"shape\": \(info.shape),"
                        + " \"data_offsets\": [\(begin), \(data.count)]}")
                map.append("\"\(info.name)\": \"part-\(shard).safetensors\"")
            }
            var text = Array("{\(header.joined(separator: ", "))}".utf8)
            text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8 + padding)
            let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
            writeBytes(length + text + data, folder.file("part-\(shard).safetensors"))
        }
        writeBytes(checkpoint.configJSON ?? [], folder.file("config.json"))
        writeBytes(
            Array("{\"weight_map\": {\(map.joined(separator: ", "))}}".utf8),
            folder.file("model.safetensors.index.json"))
    }

    @Test("name the elements that can't be read")
    func unreadable() throws {
        let checkpoint = try Checkpoint.open(modelFolder("odd/float8.safetensors"))
        let binder = WeightBinder(checkpoint)
        let error = #expect(throws: CheckpointError.self) {
            _ = try binder.matrix("a", outputs: 2, inputs: 3)
        }
        #expect(error?.problem.contains("F8_E4M3") == true)
    }

    /// `transformers` takes what ends a generation from generation_config.json alone, where there is one.
    @Test("end a generation where generation_config.json says")
    func ends() throws {
        func ends(_ generation: String?) throws -> [Int32] {
            let json = try JSONValueReader.read(Checkpoint.open(modelFolder("tiny-chat")))
            let generation = try generation.map { try JSONValue(parsing: Array($0.utf8), file: "g") }
            return try Architectures.read(json, generation: generation, file: "f").configuration.eosTokens
        }
        #expect(try ends(nil) == [2])
        #expect(try ends(#"{"eos_token_id": [2, 7]}"#) == [2, 7])
        #expect(try ends(#"{"eos_token_id": 9}"#) == [9])
        #expect(try ends(#"{"max_length": 20}"#) == [])
    }
}
