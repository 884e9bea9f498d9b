import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing
import Tokenizers

/// Keeps every row of every site, and every attention pattern and score.
private final class EverySite: Tap, PatternTap {
    private(set) var values: [String: [UInt32]] = [:]
    private let lock = NSLock()

    func wants(_ site: Site) -> Bool { true }

    func receive(_ site: Site, _ block: ActivationBlock) {
        let rows = UnsafeBufferPointer(start: block.values, count: block.rows * block.width)
        lock.withLock { values[site.fullName, default: []] += rows.map(\.bitPattern) }
    }

    func receive(_ site: Site, _ block: PatternBlock) {
        let key = "\(site.fullName) \(block.prompt) \(block.head) \(block.firstQuery)"
        let rows = UnsafeBufferPointer(start: block.values, count: block.queries * block.keys)
        lock.withLock { values[key] = rows.map(\.bitPattern) }
    }
}

/// What a level of kernels may not change. `Scripts/checks/levels.sh` does the same with a real model.
@Suite("Levels of kernels")
struct LevelTests {
    private static let names: [String] = {
        let folder = NacreProcess.root.appending(path: "Tests/Fixtures/models")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".golden.h5") }.map { String($0.dropLast(".golden.h5".count)) }.sorted()
    }()

    private static func runner(_ name: String, _ level: KernelLevel) throws -> Runner {
        let path = NacreProcess.root.appending(path: "Tests/Fixtures/models/\(name).h5").path
        let checkpoint = try Checkpoint.open(path)
        let json = try JSONValue(parsing: try #require(checkpoint.configJSON), file: name)
        let model = try Architectures.decoder(json, weights: checkpoint)
        return Runner(model: model, pool: try ThreadPool(threadCount: 2, level: level))
    }

    private static func prompts(_ model: Decoder, longest: Int) -> [[Int32]] {
        var random = SeededRandom(seed: 3)
        let limit = min(longest, model.configuration.maxPositions)
        return [1, 5, limit].map { count in
            (0..<min(count, limit)).map { _ in
                Int32.random(in: 0..<Int32(model.configuration.vocabularySize), using: &random)
            }
        }
    }

    @Test("every site and 64 decoded tokens are the same bits at every level", arguments: names)
    func levels(name: String) throws {
        var first: (sites: [String: [UInt32]], tokens: [[Continuation.Token]])?
        for level in KernelLevel.available where !level.hasMatrixUnit {
            let runner = try Self.runner(name, level)
            #expect(runner.pool.level == level)
            let prompts = Self.prompts(runner.model, longest: 70)
            let sites = EverySite()
            try runner.run(TokenSequences(prompts), taps: [sites], patterns: [sites], control: RunControl())
            #expect(sites.values.count > 10)
            let room = runner.model.configuration.maxPositions - 5
            let made = (0..<2).map { Continuation(prompt: $0, number: 0) }
            var options = GenerationOptions(limit: min(64, room))
            options.wantsRanks = true
            try runner.generate(made, of: Array(prompts.prefix(2)), options, control: RunControl())
            let tokens = made.map(\.tokens)
            #expect(tokens.allSatisfy { $0.count == min(64, room) })
            if let first {
                #expect(sites.values == first.sites, "\(level)")
                #expect(tokens == first.tokens, "\(level)")
            } else {
                first = (sites.values, tokens)
            }
        }
    }

    /// The key-value cache, the number of rows beside it and the window of attention change nothing.
    ///
    /// Left out: models whose rotary frequencies depend on the text's length, which is another one for the whole text.
    @Test(
        "decoding gives the bits that a run of the whole text gives",
        arguments: names.filter { !["phi3-longrope", "rope-dynamic"].contains($0) })
    func decoding(name: String) throws {
        let runner = try Self.runner(name, .standard)
        let c = runner.model.configuration
        let prompt = Self.prompts(runner.model, longest: 20)[2]
        let made = Continuation(prompt: 0, number: 0)
        let limit = min(40, c.maxPositions - prompt.count)
        try runner.generate([made], of: [prompt], GenerationOptions(limit: limit), control: RunControl())
        let text = prompt + made.ids
        var whole: [Double] = []
        let rows = Array(prompt.count - 1..<text.count - 1)
        let request = LogitsRequest(rows: rows) { range, values, _ in
            for (place, row) in range.enumerated() {
                let logits = values + place * c.vocabularySize
                let chosen = Int(text[rows[row] + 1])
                whole.append(Double(logits[chosen]) - VectorMath.logSumExp(logits, count: c.vocabularySize))
            }
        }
        try runner.run(TokenSequences([text]), logits: request, control: RunControl())
        #expect(made.tokens.count == limit)
        #expect(made.tokens.map(\.logProbability) == whole)
    }
}
