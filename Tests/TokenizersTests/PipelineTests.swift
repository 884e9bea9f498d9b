import Foundation
import JSON
import Testing
import Tokenizers

/// Whole pipelines against the reference library, block of lines by block: ids, three decodings, offsets.
@Suite struct PipelineTests {
    private static let pipelines = (try? Pipeline.all()) ?? []
    private static let lines = (try? Fixtures.lines()) ?? []

    @Test func `every kind of tokenizer has its pipeline`() throws {
        let kinds = Self.pipelines.filter { $0.lines.count == 10_000 }
        #expect(
            kinds.map(\.name) == [
                "gpt-2", "llama-3", "qwen-2", "gpt-neox", "olmo-2", "tekken", "gpt-4o", "llama-2", "phi-3", "mistral-1",
                "gemma", "metaspace", "lines",
            ])
        for kind in kinds { #expect(try Fixtures.tokenizer(kind.json).vocabularySize >= 8192) }
        #expect(Self.pipelines.count == kinds.count + 160)
    }

    @Test(arguments: pipelines)
    func `pipelines agree with the reference on every line`(pipeline: Pipeline) throws {
        let tokenizer = try Fixtures.tokenizer(pipeline.json)
        var wrong: [Int] = []
        let starts = stride(from: pipeline.lines.lowerBound, to: pipeline.lines.upperBound, by: pipeline.block)
        try #require(Array(starts).count == pipeline.hashes.count && pipeline.lines.upperBound <= Self.lines.count)
        for (start, expected) in zip(starts, pipeline.hashes) {
            var ofIDs = CRC32()
            var ofRest = CRC32()
            for line in Self.lines[start..<min(start + pipeline.block, pipeline.lines.upperBound)] {
                let ids = tokenizer.encode(line)
                ofIDs.add(littleEndian: ids)
                ofRest.add(decoded: ids, by: tokenizer)
                let plain = tokenizer.encodeWithOffsets(line, addSpecialTokens: false)
                #expect(plain.ids == tokenizer.encode(line, addSpecialTokens: false))
                if pipeline.hasOffsets {
                    ofRest.add(littleEndian: plain.ranges.flatMap { [Int32($0.lowerBound), Int32($0.upperBound)] })
                } else {
                    #expect(plain.ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= line.utf8.count })
                }
            }
            if "\(ofIDs.hexadecimal) \(ofRest.hexadecimal)" != expected { wrong.append(start) }
        }
        let wrongCount = wrong.count
        #expect(wrongCount == 0, "blocks of \(pipeline.block) lines of lines.json, the first at \(wrong.first ?? -1)")
    }
}

/// A tokenizer of pipelines.json: its parts beside the name of the model that it shares with others.
struct Pipeline: Sendable, CustomTestStringConvertible {
    let name: String
    let modelName: String
    /// The whole tokenizer.json.
    let json: JSONValue
    let lines: Range<Int>
    let block: Int
    let hasOffsets: Bool
    let hashes: [String]

    var testDescription: String { name }

    static func all() throws -> [Pipeline] {
        let value = try JSONValue(parsing: try Fixtures.bytes("pipelines.json"), file: "pipelines.json")
        var models: [String: JSONValue] = [:]
        return try (value.array ?? []).map { entry in
            let modelName = try #require(entry["model"]?.string)
            let model = try models[modelName] ?? Fixtures.value("\(modelName).model")
            models[modelName] = model
            return try Pipeline(entry, modelName: modelName, model: model)
        }
    }

    private init(_ entry: JSONValue, modelName: String, model: JSONValue) throws {
        self.modelName = modelName
        name = try #require(entry["name"]?.string)
        var json = try #require(entry["tokenizer"])
        var whole = model
        for option in json["model"]?.object?.members ?? [] { whole = whole.replacing([option.key], by: option.value) }
        json = json.replacing(["model"], by: whole)
        self.json = json
        lines = try #require(entry["lines"]?[0]?.int)..<(try #require(entry["lines"]?[1]?.int))
        block = try #require(entry["block"]?.int)
        hasOffsets = entry["offsets"]?.bool == true
        hashes = try #require(entry["hashes"]?.array).compactMap(\.string)
    }
}
