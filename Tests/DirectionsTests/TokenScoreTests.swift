import Control
import Directions
import Foundation
import LinearAlgebra
import Models
import Statistics
import Testing

@Suite("Scores by first tokens")
struct TokenScoreTests {
    private func score(_ tokens: [Int], _ logits: [Float]) throws -> Double {
        let score = try TokenScore(tokens: tokens, vocabulary: logits.count)
        return logits.withUnsafeBufferPointer { score($0) }
    }

    @Test("is the log-odds of the tokens together")
    func formula() throws {
        var random = SeededRandom(seed: 5)
        let logits = random.normal(count: 101).map { Float(3 * $0) }
        let powers = logits.map { exp(Double($0)) }
        for tokens in [[0], [100], [3, 50, 7], Array(0..<101).filter { $0 != 4 }] {
            let p = tokens.reduce(0) { $0 + powers[$1] } / powers.reduce(0, +)
            #expect(abs(try score(tokens, logits) - (log(p + 1e-8) - log(1 - p + 1e-8))) < 1e-9)
        }
        #expect(try score([3, 3, 7], logits) == score([7, 3], logits))
    }

    @Test("keeps its digits where p is near 1, and its bounds where it is 0 or 1")
    func extremes() throws {
        // 1 - p is 2e-6: with exponentials in f32 a tenth of it would be lost.
        let logits: [Float] = [14, 0.5, 0.5, 0.5]
        let rest = 3 * exp(0.5 - 14.0)
        let p = 1 / (1 + rest)
        #expect(abs(try score([0], logits) - (log(p + 1e-8) - log(rest / (1 + rest) + 1e-8))) < 1e-9)
        #expect(abs(try score([0], [200, 0, 0]) - log(1e8)) < 1e-6)
        #expect(abs(try score([1], [200, 0, 0]) + log(1e8)) < 1e-6)
        #expect(try score([0], [0, 0]) == 0)
    }

    @Test("NaN and infinity are not hidden")
    func notFinite() throws {
        #expect(try score([0], [0, .nan, 1]).isNaN)
        #expect(try score([0], [0, .infinity, 1]).isNaN)
        #expect(try !score([0], [0, -.infinity, 1]).isNaN)
    }

    @Test("tokens that can't be are refused")
    func refusals() {
        #expect(throws: SelectionError.noTokens) { try TokenScore(tokens: [], vocabulary: 3) }
        #expect(throws: SelectionError.tokenOutOfRange(id: 3, vocabulary: 3)) {
            try TokenScore(tokens: [0, 3], vocabulary: 3)
        }
        #expect(throws: SelectionError.tokenOutOfRange(id: -1, vocabulary: 3)) {
            try TokenScore(tokens: [-1], vocabulary: 3)
        }
    }

    @Test("tokens found by contrast are those that single runs show")
    func contrast() throws {
        let fixture = try SelectionFixture()
        let naive = NaiveSelection(runner: fixture.runner, score: [])
        let means = try [fixture.positives.train, fixture.negatives.train].map { prompts in
            var sum = [Double](repeating: 0, count: 131)
            for prompt in prompts {
                for (id, p) in naive.probabilities(try naive.logits(prompt)).enumerated() { sum[id] += p }
            }
            return sum.map { $0 / Double(prompts.count) }
        }
        let order = (0..<131).sorted { means[0][$0] - means[1][$0] > means[0][$1] - means[1][$1] }
        let third = means[0][order[2]] - means[1][order[2]]
        let find = { (share: Double, most: Int) in
            try ContrastTokens(
                runner: fixture.runner, positives: fixture.positives.train, negatives: fixture.negatives.train,
                share: share, most: most, control: RunControl())
        }
        let found = try find(third - 1e-6, 5)
        #expect(found.tokens.map(\.id).starts(with: order.prefix(3)))
        #expect(try find(0, 2).tokens.map(\.id) == Array(order.prefix(2)))
        for token in found.tokens {
            #expect(abs(token.positive - means[0][token.id]) < 1e-6)
            #expect(abs(token.negative - means[1][token.id]) < 1e-6)
            #expect(token.difference >= third - 1e-6)
        }
        #expect(throws: SelectionError.self) { try find(0.999, 5) }
    }
}
