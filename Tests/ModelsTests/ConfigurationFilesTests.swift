import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Models
import TestSupport
import Testing
import Tokenizers

/// Configurations of the fixtures in other spellings, or with one thing wrong
/// (Scripts/checks/parity.py make-configurations).
@Suite("config.json files")
struct ConfigurationFilesTests {
    private static let fixtures = NacreProcess.root.appending(path: "Tests/Fixtures")

    private static func files(_ folder: String) -> [String] {
        let path = fixtures.appending(path: "configurations/\(folder)").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private static func read(_ folder: String, _ name: String) throws -> JSONValue {
        let data = try Data(contentsOf: fixtures.appending(path: "configurations/\(folder)/\(name)"))
        return try JSONValue(parsing: Array(data), file: name)
    }

    private static func logits(_ json: JSONValue, _ checkpoint: Checkpoint) throws -> [Float] {
        let model = try Architectures.decoder(json, weights: checkpoint)
        let runner = Runner(model: model, pool: try ThreadPool(threadCount: 1))
        // Longer than every original length among the fixtures, so that every kind of scaling shows.
        let tokens = (0..<40).map { Int32(3 + $0 * 7 % 120) }
        var result: [Float] = []
        let request = LogitsRequest(rows: Array(tokens.indices)) { range, values, _ in
            result += UnsafeBufferPointer(start: values, count: range.count * model.configuration.vocabularySize)
        }
        try runner.run(TokenSequences([tokens]), logits: request, control: RunControl())
        return result
    }

    @Test("other spellings of the same model give the same bits", arguments: files("accepted"))
    func accepted(name: String) throws {
        let file = try Self.read("accepted", name)
        let checkpoint = try Checkpoint.open(
            Self.fixtures.appending(path: "models/\(try #require(file["checkpoint"]?.string)).h5").path)
        let original = try Self.logits(JSONValueReader.read(checkpoint), checkpoint)
        #expect(try Self.logits(try #require(file["config"]), checkpoint) == original)
    }

    @Test("what can't be run is named", arguments: files("refused"))
    func refused(name: String) throws {
        let file = try Self.read("refused", name)
        let checkpoint = try Checkpoint.open(
            Self.fixtures.appending(path: "models/\(try #require(file["checkpoint"]?.string)).h5").path)
        let json = try #require(file["config"])
        let error = #expect(throws: ModelError.self) { try Architectures.decoder(json, weights: checkpoint) }
        let key = try #require(file["key"]?.string)
        #expect(error?.description.contains(key) == true, "\(error?.description ?? "none") should name \(key)")
    }

    @Test("fewer layers than the weights have", arguments: ["gpt2", "gpt-neox", "gemma2", "mha"])
    func layers(name: String) throws {
        let checkpoint = try Checkpoint.open(Self.fixtures.appending(path: "models/\(name).h5").path)
        let text = String(decoding: try #require(checkpoint.configJSON), as: UTF8.self)
        let key = name == "gpt2" ? "n_layer" : "num_hidden_layers"
        let fewer = text.replacing(try Regex("\"\(key)\": *[0-9]+"), with: "\"\(key)\": 1")
            .replacing(try Regex("\"layer_types\": *\\[[^\\]]*\\]"), with: "\"layer_types\": [\"full_attention\"]")
        #expect(fewer != text)
        let json = try JSONValue(parsing: Array(fewer.utf8), file: name)
        let error = #expect(throws: ModelError.self) { try Architectures.decoder(json, weights: checkpoint) }
        #expect(error?.description.contains("\(key): is 1") == true, "\(error?.description ?? "none")")
    }

    @Test("there are such files")
    func present() { #expect(Self.files("accepted").count >= 20 && Self.files("refused").count >= 35) }
}
