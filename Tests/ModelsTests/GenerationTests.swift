import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Models
import Statistics
import TestSupport
import Testing
import Tokenizers

@Suite("Generation")
struct GenerationTests {
    private static func runner(_ name: String, threads: Int = 2) throws -> Runner {
        let checkpoint = try Checkpoint.open(
            NacreProcess.root.appending(path: "Tests/Fixtures/models/\(name).h5").path)
        let json = try JSONValue(parsing: try #require(checkpoint.configJSON), file: name)
        let model = try Architectures.decoder(json, weights: checkpoint)
        return Runner(model: model, pool: try ThreadPool(threadCount: threads))
    }

    private static func prompts(_ count: Int, vocabulary: Int, longest: Int = 40) -> [[Int32]] {
        var random = SeededRandom(seed: 11)
        return (0..<count).map { index in
            (0..<1 + index * 7 % longest).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
        }
    }

    private static func make(
        _ runner: Runner, _ prompts: [[Int32]], count: Int, limit: Int, sampling: Sampling, ranks: Bool = false
    ) throws -> [Continuation] {
        var options = GenerationOptions(limit: limit)
        options.sampling = sampling
        options.seed = 9
        options.wantsRanks = ranks
        let made = prompts.indices.flatMap { prompt in (0..<count).map { Continuation(prompt: prompt, number: $0) } }
        try runner.generate(made, of: prompts, options, control: RunControl())
        return made
    }

    @Test("a repetition penalty, as `generate` of transformers has it")
    func penalty() throws {
        struct File: Decodable {
            struct Row: Decodable {
                let prompt: [Int32]
                let repetition_penalty: Double
                let ids: [Int32]
            }
            let continuations: [Row]
        }
        let data = try Data(
            contentsOf: NacreProcess.root.appending(path: "Tests/Fixtures/sampling/continuations.json"))
        let rows = try JSONDecoder().decode(File.self, from: data).continuations
        #expect(rows.count == 3)
        let runner = try Self.runner("tiny-chat")
        for row in rows {
            let made = try Self.make(
                runner, [row.prompt], count: 1, limit: row.ids.count,
                sampling: Sampling(repetitionPenalty: row.repetition_penalty))
            #expect(made[0].ids == row.ids, "\(row.repetition_penalty)")
            #expect(made[0].end == .length)
        }
    }

    /// f32, bf16 and f16 weights, biases, and one key-value head for all.
    @Test(
        "alone, among others, at any number of threads: the same tokens and log-probabilities",
        arguments: ["gqa-tied", "mqa-bf16", "bias-f16"])
    func sameAlone(name: String) throws {
        let runner = try Self.runner(name)
        let vocabulary = runner.model.configuration.vocabularySize
        let prompts = Self.prompts(21, vocabulary: vocabulary)
        let sampling = Sampling(temperature: 1.1, topP: 0.95)
        let together = try Self.make(runner, prompts, count: 3, limit: 12, sampling: sampling, ranks: true)
        #expect(Set(together.map(\.ids)).count > 50)
        let single = try Self.make(
            Self.runner(name, threads: 1), prompts, count: 3, limit: 12, sampling: sampling, ranks: true)
        #expect(together.map(\.tokens) == single.map(\.tokens))
        let fewer = try Self.make(runner, prompts, count: 1, limit: 12, sampling: sampling, ranks: true)
        for (prompt, continuation) in fewer.enumerated() {
            #expect(continuation.tokens == together[prompt * 3].tokens)
        }
        // Prompt 0 of a set is what it is by itself.
        let alone = try Self.make(runner, [prompts[0]], count: 1, limit: 12, sampling: sampling, ranks: true)
        #expect(alone[0].tokens == together[0].tokens)
        let greedy = try Self.make(runner, prompts, count: 1, limit: 12, sampling: .greedy)
        for (prompt, continuation) in greedy.enumerated() {
            let expected = try runner.generate(prompts[prompt], limit: 12, stop: [], control: RunControl())
            #expect(continuation.ids == expected)
        }
    }

    @Test("log-probabilities and ranks are those of a run over the whole text")
    func scores() throws {
        let runner = try Self.runner("mha")
        let vocabulary = runner.model.configuration.vocabularySize
        let prompts = Self.prompts(5, vocabulary: vocabulary)
        let made = try Self.make(
            runner, prompts, count: 2, limit: 10, sampling: Sampling(temperature: 1.5, topK: 30), ranks: true)
        for continuation in made {
            let prompt = prompts[continuation.prompt]
            let whole = prompt + continuation.ids
            let rows = Array(prompt.count - 1..<whole.count - 1)
            try runner.run(
                TokenSequences([whole]),
                logits: LogitsRequest(rows: rows) { range, logits, _ in
                    for (index, place) in range.enumerated() {
                        let row = logits + index * vocabulary
                        let token = continuation.tokens[place]
                        let expected = Double(row[Int(token.id)]) - VectorMath.logSumExp(row, count: vocabulary)
                        #expect(abs(token.logProbability - expected) < 2e-5)
                        let rank = (0..<vocabulary).count { row[$0] > row[Int(token.id)] } + 1
                        #expect(token.rank == rank)
                    }
                }, control: RunControl())
            let mean = continuation.tokens.reduce(0) { $0 + $1.logProbability } / 10
            #expect(continuation.meanLogProbability == mean)
        }
    }

    @Test("says why each ended")
    func ends() throws {
        let runner = try Self.runner("mha")
        let c = runner.model.configuration
        let full = [Int32](repeating: 3, count: c.maxPositions)
        let prompts = [[3], full, Array(full.dropLast(2)), [4, 5]]
        let made = prompts.indices.map { Continuation(prompt: $0, number: 0) }
        try runner.generate(made, of: prompts, GenerationOptions(limit: 6), control: RunControl()) {
            $0.prompt != 3 || $0.tokens.count < 4
        }
        #expect(made.map(\.end) == [.length, .contextFull, .contextFull, .stopped])
        #expect(made.map(\.tokens.count) == [6, 0, 2, 4])
        #expect(made[1].meanLogProbability == nil)
        var options = GenerationOptions(limit: 6)
        options.endTokens = [made[0].ids[2]]
        let ended = Continuation(prompt: 0, number: 0)
        try runner.generate([ended], of: [[3]], options, control: RunControl())
        #expect(ended.end == .endToken)
        let before = made[0].ids.prefix { $0 != made[0].ids[2] }
        #expect(ended.ids == Array(before))
    }

    @Test("a cancelled generation keeps what there is")
    func cancelled() throws {
        let runner = try Self.runner("mha")
        let control = RunControl()
        let made = (0..<3).map { Continuation(prompt: 0, number: $0) }
        var options = GenerationOptions(limit: 50)
        options.sampling = Sampling(temperature: 1)
        #expect(throws: CancellationError.self) {
            try runner.generate(made, of: [[3, 4]], options, control: control) {
                if $0.tokens.count == 5 { control.cancel() }
                return true
            }
        }
        #expect(made.allSatisfy { $0.tokens.count == 5 && $0.end == nil })
        control.reset()
        let whole = (0..<3).map { Continuation(prompt: 0, number: $0) }
        try runner.generate(whole, of: [[3, 4]], options, control: control)
        #expect(zip(whole, made).allSatisfy { Array($0.ids.prefix(5)) == $1.ids })
        #expect(throws: ModelError.noTokens(prompt: 1)) {
            try runner.generate(made, of: [[3], []], options, control: control)
        }
    }
}
