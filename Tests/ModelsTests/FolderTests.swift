import Checkpoints
import Foundation
import LinearAlgebra
import Models
import TestSupport
import Testing
import Tokenizers

@Suite("Models from folders")
struct FolderTests {
    private func logits(_ checkpoint: Checkpoint) throws -> [UInt32] {
        let configuration = try ModelConfiguration(JSONValueReader.read(checkpoint), file: checkpoint.label)
        let runner = Runner(
            model: try Architectures.make(configuration: configuration, weights: checkpoint),
            pool: try ThreadPool(threadCount: 2))
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
            return try ModelConfiguration(json, generation: generation, file: "f").eosTokens
        }
        #expect(try ends(nil) == [2])
        #expect(try ends(#"{"eos_token_id": [2, 7]}"#) == [2, 7])
        #expect(try ends(#"{"eos_token_id": 9}"#) == [9])
        #expect(try ends(#"{"max_length": 20}"#) == [])
    }
}
