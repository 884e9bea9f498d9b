import Checkpoints
import Control
import Foundation
import HDF5
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing

/// A tiny checkpoint and what `transformers` computes with it in f32 (Scripts/checks/parity.py make-fixtures).
private struct Golden {
    let file: File
    let runner: Runner
    let layers: Int
    let count: Int

    init(_ name: String, threads: Int = 2) throws {
        let folder = NacreProcess.root.appending(path: "Tests/Fixtures/models")
        file = try File(folder.appending(path: "\(name).golden.h5").path)
        let checkpoint = LoadedModel(try Checkpoint.open(folder.appending(path: "\(name).h5").path))
        runner = Runner(model: try checkpoint.model(), pool: try ThreadPool(threadCount: threads))
        layers = runner.model.configuration.layers
        count = Set(file.contents.datasets.compactMap { $0.path[0] == "sequences" ? $0.path[1] : nil }).count
    }

    func floats(_ path: String...) throws -> [Float] { try array(path) }

    func tokens(_ sequence: Int) throws -> [Int32] { try array(["sequences", "\(sequence)", "tokens"]) }

    func greedy(_ sequence: Int) throws -> [Int32] { try array(["sequences", "\(sequence)", "greedy"]) }

    private func array<Element: BitwiseCopyable>(_ path: [String]) throws -> [Element] {
        let dataset = try #require(file.contents.dataset(path), "\(path)")
        return try file.decode(dataset).array(of: Element.self)
    }

    /// Names of the sites stored for a sequence.
    func sites(_ sequence: Int) -> [String] {
        file.contents.datasets.filter { $0.path.starts(with: ["sequences", "\(sequence)", "sites"]) }.map { $0.path[3] }
    }

    func has(_ path: String...) -> Bool { file.contents.dataset(path) != nil }

    /// All logits of one sequence, run alone.
    func logits(_ tokens: [Int32], edits: [any Edit] = []) throws -> [Float] {
        var result: [Float] = []
        let vocabulary = runner.model.configuration.vocabularySize
        let request = LogitsRequest(rows: Array(tokens.indices)) { range, values, _ in
            result += UnsafeBufferPointer(start: values, count: range.count * vocabulary)
        }
        try runner.run(TokenSequences([tokens]), edits: edits, logits: request, control: RunControl())
        return result
    }
}

/// A checkpoint's model, without the shell.
private struct LoadedModel {
    let checkpoint: Checkpoint

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    func model() throws -> Decoder {
        let json = try JSONValueReader.read(checkpoint)
        return try Architectures.decoder(json, weights: checkpoint)
    }
}

private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Every fixture that has a golden beside it.
private let names: [String] = {
    let folder = NacreProcess.root.appending(path: "Tests/Fixtures/models").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".golden.h5") }.map { String($0.dropLast(".golden.h5".count)) }.sorted()
}()

/// Keeps the patterns or scores of one prompt: [head, query, key].
private final class WholePatterns: PatternTap, @unchecked Sendable {
    private let site: Site
    private let length: Int
    private let lock = NSLock()
    private(set) var values: [Float]

    init(_ site: Site, heads: Int, length: Int) {
        self.site = site
        self.length = length
        values = Array(
            repeating: site.kind == .pattern ? 0 : -.infinity, count: heads * length * length)
    }

    func wants(_ site: Site) -> Bool { site == self.site }

    func receive(_ site: Site, _ block: PatternBlock) {
        lock.withLock {
            for query in 0..<block.queries {
                let start = (block.head * length + block.firstQuery + query) * length
                for key in 0..<block.keys { values[start + key] = block.values[query * block.keys + key] }
            }
        }
    }
}

@Suite("Against transformers")
struct GoldenTests {
    @Test("logits", arguments: names)
    func logits(name: String) throws {
        let golden = try Golden(name)
        #expect(golden.count >= 4)
        for sequence in 0..<golden.count {
            let expected = try golden.floats("sequences", "\(sequence)", "logits")
            #expect(largestDifference(try golden.logits(golden.tokens(sequence)), expected) < 1e-4)
        }
    }

    @Test("every site of every layer", arguments: names)
    func sites(name: String) throws {
        let golden = try Golden(name)
        var compared = 0
        for sequence in 0..<golden.count {
            let stored = golden.sites(sequence)
            guard !stored.isEmpty else { continue }
            let tokens = try golden.tokens(sequence)
            let all = golden.runner.model.configuration.sites.filter { $0.kind != .logits && !$0.kind.isPattern }
            let sequences = TokenSequences([tokens])
            let selection = RowSelection(sequences, positions: [Array(tokens.indices)], isMean: false)
            let sink = MatrixSink(rows: tokens.count)
            try golden.runner.run(
                sequences, taps: [SiteCollector(sites: all, selection: selection, sink: sink)], control: RunControl())
            for name in stored {
                let site = try #require(Site(fullName: name), "\(name)")
                let expected = try golden.floats("sequences", "\(sequence)", "sites", name)
                guard !site.kind.isPattern else {
                    let tap = WholePatterns(
                        site, heads: golden.runner.model.configuration.heads, length: tokens.count)
                    try golden.runner.run(sequences, patterns: [tap], control: RunControl())
                    #expect(tap.values.count == expected.count, "\(name)")
                    for (found, wanted) in zip(tap.values, expected) {
                        #expect(found == wanted || abs(found - wanted) < 1e-4, "\(name)")
                    }
                    compared += 1
                    continue
                }
                let found = try #require(sink.matrices[site], "\(name)")
                let width = found.columns
                #expect(found.values.count == expected.count, "\(name)")
                for row in 0..<found.rows {
                    var error = 0.0
                    var norm = 0.0
                    for index in row * width..<(row + 1) * width {
                        let difference = Double(found.values[index]) - Double(expected[index])
                        error += difference * difference
                        norm += Double(expected[index]) * Double(expected[index])
                    }
                    #expect(error.squareRoot() <= 1e-4 * norm.squareRoot(), "\(name), row \(row)")
                }
                compared += 1
            }
        }
        #expect(compared >= 18)

    }

    @Test("greedy continuations, with the key-value cache", arguments: names)
    func greedy(name: String) throws {
        let golden = try Golden(name)
        for sequence in 0..<golden.count {
            let expected = try golden.greedy(sequence)
            let found = try golden.runner.generate(
                golden.tokens(sequence), limit: expected.count, stop: [], control: RunControl())
            #expect(found == expected)
        }
    }

    @Test("edited runs: a row set to zero, a direction removed everywhere", arguments: names)
    func edits(name: String) throws {
        let golden = try Golden(name)
        let direction = try golden.floats("direction")
        let sites =
            [Site(.residPre, layer: 1)]
            + (0..<golden.layers).flatMap { [Site(.attnOut, layer: $0), Site(.mlpOut, layer: $0)] }
        let ablation = SubspaceEdit(ablating: direction, sites: sites)
        let width = golden.runner.model.configuration.hiddenSize
        for sequence in 0..<golden.count where golden.has("sequences", "\(sequence)", "edited", "ablate_direction") {
            let tokens = try golden.tokens(sequence)
            let original = try golden.logits(tokens)
            let zero = Replacement(
                .zero, columns: 0..<width, sites: [Site(.residPost, layer: 0)],
                positions: .position(tokens.count - 1))
            for (edit, stored) in [(zero as any Edit, "zero_resid_post_0_last"), (ablation, "ablate_direction")] {
                let expected = try golden.floats("sequences", "\(sequence)", "edited", stored)
                let found = try golden.logits(tokens, edits: [edit])
                #expect(largestDifference(found, expected) < 1e-4, "\(stored)")
                #expect(largestDifference(found, original) > 1e-3, "\(stored) changes something")
            }
            // Edits off: the original bits.
            #expect(try golden.logits(tokens) == original)
        }
    }

    @Test("packed, alone, in small sweeps, at any number of threads: the same bits", arguments: names)
    func sameBits(name: String) throws {
        let golden = try Golden(name)
        let model = golden.runner.model
        var random = SeededRandom(seed: 5)
        let vocabulary = model.configuration.vocabularySize
        let prompts = (0..<150).map { index in
            (0..<1 + index % 41).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
        }
        let sequences = TokenSequences(prompts)
        let rows = (0..<sequences.count).map { sequences.starts[$0 + 1] - 1 }
        func lastLogits(_ runner: Runner, _ sequences: TokenSequences, rows: [Int]) throws -> [Float] {
            var result: [Float] = []
            let request = LogitsRequest(rows: rows) { range, values, _ in
                result += UnsafeBufferPointer(start: values, count: range.count * vocabulary)
            }
            try runner.run(sequences, logits: request, control: RunControl())
            return result
        }
        let packed = try lastLogits(golden.runner, sequences, rows: rows)
        let single = Runner(model: model, pool: try ThreadPool(threadCount: 1))
        #expect(try lastLogits(single, sequences, rows: rows) == packed)
        let small = Runner(model: model, pool: try ThreadPool(threadCount: 3), memoryBudget: 1)
        #expect(try lastLogits(small, sequences, rows: rows) == packed)
        let unpacked = Runner(model: model, pool: try ThreadPool(threadCount: 2), packsWeights: false)
        #expect(try lastLogits(unpacked, sequences, rows: rows) == packed)
        for prompt in stride(from: 0, to: 150, by: 7) {
            let alone = try lastLogits(
                golden.runner, TokenSequences([prompts[prompt]]), rows: [prompts[prompt].count - 1])
            #expect(alone[...] == packed[prompt * vocabulary..<(prompt + 1) * vocabulary])
        }
    }

    @Test("a text that grows past LongRoPE's boundary goes on as if it had been run anew")
    func boundary() throws {
        let golden = try Golden("phi3-longrope")
        var tokens = Array(try golden.tokens(3).prefix(29))
        let made = try golden.runner.generate(tokens, limit: 9, stop: [], control: RunControl())
        let vocabulary = golden.runner.model.configuration.vocabularySize
        for token in made {
            let last = try golden.logits(tokens).suffix(vocabulary)
            #expect(last.max() == last[last.startIndex + Int(token)], "after \(tokens.count) tokens")
            tokens.append(token)
        }
        #expect(tokens.count == 38)
    }

    @Test("bf16: close to f32, not the same, and the same bits packed, alone and continued", arguments: names)
    func bf16(name: String) throws {
        let golden = try Golden(name)
        let tokens = try golden.tokens(3)
        let reference = try golden.logits(tokens)
        golden.runner.precision = .bf16
        let rounded = try golden.logits(tokens)
        // Beside others and again, so that weights are packed.
        let beside = LogitsRequest(rows: Array(tokens.count..<2 * tokens.count)) { range, values, _ in
            let width = golden.runner.model.configuration.vocabularySize
            let block = UnsafeBufferPointer(start: values, count: range.count * width)
            #expect(block.elementsEqual(rounded[range.lowerBound * width..<range.upperBound * width]))
        }
        for _ in 0..<3 {
            try golden.runner.run(
                TokenSequences([tokens.reversed(), tokens, tokens]), logits: beside, control: RunControl())
        }
        let error = zip(reference, rounded).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let size = reference.reduce(0.0) { $0 + Double($1 * $1) }
        #expect(error > 0)
        #expect(error.squareRoot() < 0.03 * size.squareRoot(), "\((error / size).squareRoot())")
        let new = try golden.runner.generate(Array(tokens.prefix(5)), limit: 3, stop: [], control: RunControl())
        #expect(new.count == 3)
        let streaming = Runner(
            model: golden.runner.model, pool: try ThreadPool(threadCount: 1), packsWeights: false)
        streaming.precision = .bf16
        #expect(try streaming.generate(Array(tokens.prefix(5)), limit: 3, stop: [], control: RunControl()) == new)
        golden.runner.precision = .f32
        #expect(try golden.logits(tokens) == reference)
    }
}
