import Checkpoints
import Control
import Directions
import Foundation
import JSON
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

private let folder = repositoryFile("Tests/Fixtures/models")

private let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0.hasSuffix(".golden.h5") }.map { String($0.dropLast(".golden.h5".count)) }.sorted()

/// A fixture, run at the last position of a few prompts.
private struct Loaded {
    let model: Decoder
    let runner: Runner
    let prompts: [[Int32]]

    init(_ name: String) throws {
        let checkpoint = try fixtureModel(name).file
        let json = try JSONValue(parsing: checkpoint.configJSON ?? [], file: name)
        model = try Architectures.decoder(json, weights: checkpoint)
        runner = Runner(model: model, pool: Pools.one)
        var random = SeededRandom(seed: 21)
        let vocabulary = Int32(model.configuration.vocabularySize)
        prompts = [5, 9, 14].map { count in (0..<count).map { _ in Int32.random(in: 0..<vocabulary, using: &random) } }
    }

    /// Sites and logits at the last position of every prompt; logits before any soft cap. [prompts, …]
    func run(_ sites: [Site], edits: [any Edit] = []) throws -> (collected: [Site: Matrix], logits: [[Double]]) {
        let sequences = TokenSequences(prompts)
        let rows = sequences.starts.dropFirst().map { $0 - 1 }
        let selection = RowSelection(sequences, positions: prompts.map { [$0.count - 1] }, isMean: false)
        let sink = MatrixSink(rows: prompts.count)
        let (vocabulary, cap) = (model.configuration.vocabularySize, model.configuration.logitSoftCap)
        var logits: [[Double]] = []
        let request = LogitsRequest(rows: rows) { range, values, _ in
            for row in range.indices {
                let start = (row - range.lowerBound) * vocabulary
                logits.append(
                    (0..<vocabulary).map { index in
                        let logit = Double(values[start + index])
                        return cap.map { Double($0) * atanh(logit / Double($0)) } ?? logit
                    })
            }
        }
        try runner.run(
            sequences, taps: [SiteCollector(sites: sites, selection: selection, sink: sink)], edits: edits,
            logits: request, control: RunControl())
        return (sink.matrices, logits)
    }
}

@Suite("Direct logit attribution")
struct LogitAttributionTests {
    @Test("components sum to the logit, and to differences of logits", arguments: names, [false, true])
    func sums(name: String, hasHeads: Bool) throws {
        let loaded = try Loaded(name)
        guard !hasHeads || loaded.model.addsProductsOnly else {
            let error = #expect(throws: DirectionsError.self) { try LogitAttribution(loaded.model, hasHeads: true) }
            #expect(error?.description.contains("sum of its heads") == true)
            return
        }
        let attribution = try LogitAttribution(loaded.model, hasHeads: hasHeads)
        let (collected, logits) = try loaded.run(attribution.sites)
        for prompt in loaded.prompts.indices {
            let parts = attribution.parts(collected, row: prompt)
            for token in [0, 7, 11] {
                let u = attribution.unembedding(Int32(token))
                let contributions = parts.contributions(to: u)
                #expect(contributions.count == attribution.components.count)
                let sum = contributions.reduce(0, +)
                #expect(abs(sum - logits[prompt][token]) < 2e-5, "\(sum) is not \(logits[prompt][token])")
                #expect(contributions.count { abs($0) > 1e-4 } > 2, "there is something to add up")
                let difference = zip(u, attribution.unembedding(3)).map { $0 - $1 }
                let other = parts.contributions(to: difference).reduce(0, +)
                #expect(abs(other - (logits[prompt][token] - logits[prompt][3])) < 2e-5)
            }
        }
    }

    @Test(
        "a head's part is what attention loses without it, and heads with the bias make up attention", arguments: names)
    func heads(name: String) throws {
        let loaded = try Loaded(name)
        guard loaded.model.addsProductsOnly else { return }
        let c = loaded.model.configuration
        let whole = try LogitAttribution(loaded.model, hasHeads: false)
        let divided = try LogitAttribution(loaded.model, hasHeads: true)
        let (collected, _) = try loaded.run(whole.sites + divided.sites)
        let u = whole.unembedding(5)
        let attention = whole.parts(collected, row: 1).contributions(to: u)
        let heads = divided.parts(collected, row: 1).contributions(to: u)
        for layer in 0..<c.layers {
            let total = try #require(whole.components.firstIndex(of: .attention(layer: layer)))
            var sum = 0.0
            for (component, value) in zip(divided.components, heads) {
                switch component {
                case .head(layer, _), .attentionBias(layer): sum += value
                default: break
                }
            }
            #expect(abs(sum - attention[total]) < 1e-5)
        }
        // The readout, by the definition of the norm: how the logit moves with the stream while σ stays.
        let stream = try #require(collected[Site(.residPost, layer: c.layers - 1)]).row(1).map(Double.init)
        let (direction, _) = loaded.model.frozenReadout(of: u)
        let scale = loaded.model.finalNormScale(stream)
        let (layer, head) = (c.layers - 1, c.heads - 1)
        let site = Site(.attnOut, layer: layer)
        let columns = head * c.headDimension..<(head + 1) * c.headDimension
        let without = Replacement(.zero, columns: columns, sites: [Site(.z, layer: layer)])
        let (edited, _) = try loaded.run([site], edits: [without])
        let lost = zip(try #require(collected[site]).row(1), try #require(edited[site]).row(1))
            .map { Double($0) - Double($1) }
        let expected = zip(lost, direction).reduce(0) { $0 + $1.0 * $1.1 } / scale
        let place = try #require(divided.components.firstIndex(of: .head(layer: layer, head: head)))
        #expect(abs(heads[place] - expected) < 1e-5)
        #expect(abs(expected) > 1e-6)
    }

    @Test("what an edit of the stream adds is a component of its own")
    func edits() throws {
        let loaded = try Loaded("qwen3")
        let width = loaded.model.configuration.hiddenSize
        let steering = Steering(
            vector: (0..<width).map { Float($0 % 5) / 10 }, sites: [Site(.residPre, layer: 1)])
        let attribution = try LogitAttribution(loaded.model, hasHeads: false, hasEdits: true)
        let (collected, logits) = try loaded.run(attribution.sites, edits: [steering])
        let parts = attribution.parts(collected, row: 0)
        let u = attribution.unembedding(4)
        let contributions = parts.contributions(to: u)
        #expect(abs(contributions.reduce(0, +) - logits[0][4]) < 2e-5)
        let place = try #require(attribution.components.firstIndex(of: .edits))
        let stream = try #require(collected[Site(.residPost, layer: loaded.model.configuration.layers - 1)]).row(0)
            .map(Double.init)
        let direction = loaded.model.frozenReadout(of: u).direction
        let expected =
            zip(steering.vector, direction).reduce(0) { $0 + Double($1.0) * $1.1 } / loaded.model.finalNormScale(stream)
        #expect(abs(contributions[place] - expected) < 1e-5)
        #expect(abs(expected) > 1e-3)
    }
}
