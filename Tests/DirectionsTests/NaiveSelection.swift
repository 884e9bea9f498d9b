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
import Tokenizers
import WorkbenchTestSupport

/// The selection as it is written: every prompt alone, from the embedding, with the plain edits.
struct NaiveSelection {
    let runner: Runner
    let score: [Int]

    func logits(_ prompt: [Int32], _ edits: [any Edit] = []) throws -> [Double] {
        var result: [Double] = []
        let vocabulary = runner.model.configuration.vocabularySize
        let request = LogitsRequest(rows: [prompt.count - 1]) { _, logits, _ in
            result = UnsafeBufferPointer(start: logits, count: vocabulary).map(Double.init)
        }
        try runner.run(TokenSequences([prompt]), edits: edits, logits: request, control: RunControl())
        return result
    }

    func probabilities(_ logits: [Double]) -> [Double] {
        let peak = logits.max() ?? 0
        let powers = logits.map { Foundation.exp($0 - peak) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }

    func scores(_ prompts: [[Int32]], _ edits: [any Edit] = []) throws -> [Double] {
        try prompts.map { prompt in
            let probabilities = probabilities(try logits(prompt, edits))
            let p = score.reduce(0) { $0 + probabilities[$1] }
            return Foundation.log(p + 1e-8) - Foundation.log(1 - p + 1e-8)
        }
    }

    func divergences(_ prompts: [[Int32]], _ edits: [any Edit]) throws -> [Double] {
        try prompts.map { prompt in
            let p = probabilities(try logits(prompt))
            let q = probabilities(try logits(prompt, edits))
            return zip(p, q).reduce(0) { $0 + $1.0 * (Foundation.log($1.0) - Foundation.log($1.1)) }
        }
    }

    /// mean(positive) - mean(negative) at a layer's input. [width]
    func direction(_ positives: [[Int32]], _ negatives: [[Int32]], layer: Int, position: Int) throws -> [Double] {
        let site = Site(.residPre, layer: layer)
        let means = try [positives, negatives].map { prompts in
            var sum = [Double](repeating: 0, count: runner.model.configuration.hiddenSize)
            for prompt in prompts {
                let sequences = TokenSequences([prompt])
                let sink = MatrixSink(rows: 1)
                let rows = RowSelection(sequences, positions: [[prompt.count + position]], isMean: false)
                try runner.run(
                    sequences, taps: [SiteCollector(sites: [site], selection: rows, sink: sink)],
                    control: RunControl())
                for (column, value) in (sink.matrices[site]?.values ?? []).enumerated() { sum[column] += Double(value) }
            }
            return sum.map { $0 / Double(prompts.count) }
        }
        return zip(means[0], means[1]).map { $0 - $1 }
    }

    func ablating(_ direction: [Double]) -> SubspaceEdit {
        let layers = 0..<runner.model.configuration.layers
        return SubspaceEdit(
            ablating: direction.map(Float.init),
            sites: layers.flatMap { layer in
                [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
            })
    }
}

/// A checkpoint of the tests' and prompts of random tokens, each class with a token of its own near the end.
struct SelectionFixture {
    let runner: Runner
    let positives: CandidateSelection.Prompts
    let negatives: CandidateSelection.Prompts

    static func runner(_ path: String, threads: Int = 2) throws -> Runner {
        let checkpoint = try Checkpoint.open(repositoryFile(path))
        let json = try JSONValue(parsing: checkpoint.configJSON ?? [], file: checkpoint.label)
        let model = try Architectures.decoder(json, weights: checkpoint)
        return Runner(model: model, pool: threads == 1 ? Pools.one : Pools.two)
    }

    init(_ name: String = "mha", threads: Int = 2) throws {
        runner = try Self.runner("Tests/Fixtures/models/\(name).h5", threads: threads)
        positives = Self.prompts(seed: 1, token: 7)
        negatives = Self.prompts(seed: 2, token: 11)
    }

    /// Prompts of 5 to 9 tokens: random ones, the class's own, and one that is everybody's.
    private static func prompts(seed: UInt64, token: Int32) -> CandidateSelection.Prompts {
        var random = SeededRandom(seed: seed)
        let all = (0..<16).map { index in
            (0..<3 + index % 5).map { _ in Int32(random.next() % 100 + 20) } + [token, 3]
        }
        return .init(train: Array(all[..<10]), validation: Array(all[10...]))
    }

    func select(
        score: [Int], _ change: (inout CandidateSelection.Options) -> Void = { _ in }
    ) throws -> SelectedDirection {
        var options = CandidateSelection.Options()
        options.positions = [-1, -2, -3]
        options.filtersPrompts = false
        options.prunedShare = 0
        change(&options)
        return try CandidateSelection(
            runner: runner, positives: positives, negatives: negatives,
            score: TokenScore(tokens: score, vocabulary: runner.model.configuration.vocabularySize), options: options
        ).run(control: RunControl())
    }
}
