import Checkpoints
import LinearAlgebra
package import Models
import Sites
import Statistics
import TerminalText
import Tokenizers

/// The logits that a checkpoint gives at every position of a few short texts. They are enough to show quickly that two
/// ways to compute the same thing agree, but not to measure a behaviour.
package struct SpotCheck {
    package let sequences: TokenSequences

    private static let texts = [
        "The capital of France is", "Once upon a time there was a", "How can I find out whether 91 is a prime number?",
        "Please write a short letter to a friend.",
    ]

    /// Encodes the few short texts of the check. Tokens are drawn with the seed instead if the checkpoint has no
    /// tokenizer, or one that gives ids outside the model's vocabulary.
    ///
    /// - Throws: errors of reading the configuration and the tokenizer.
    package init(_ checkpoint: LoadedCheckpoint, seed: UInt64) throws {
        let c = try checkpoint.configuration()
        var prompts: [[Int32]] = []
        if try checkpoint.file.tokenizerJSON() != nil {
            let tokenizer = try checkpoint.tokenizer()
            prompts = Self.texts.map { tokenizer.encode($0, addSpecialTokens: true) }.filter { !$0.isEmpty }
        }
        if prompts.isEmpty || prompts.joined().contains(where: { $0 < 0 || Int($0) >= c.vocabularySize }) {
            var random = SeededRandom(seed: seed)
            prompts = (0..<Self.texts.count).map { _ in
                (0..<12).map { _ in Int32.random(in: 0..<Int32(c.vocabularySize), using: &random) }
            }
        }
        sequences = TokenSequences(prompts.map { Array($0.prefix(c.maxPositions)) })
    }

    package var positions: Int { sequences.tokens.count }

    /// The number of positions and texts that are checked, in words such as "38 positions of 4 texts".
    package var phrase: String { "\(counted(positions, "position")) of \(counted(sequences.count, "text"))" }

    /// Returns the checkpoint's logits at every position of the texts, with some edits, [positions, vocabulary], in
    /// f32.
    package func logits(_ checkpoint: LoadedCheckpoint, edits: [any Edit], _ context: RunContext) throws -> [Float] {
        let vocabulary = try checkpoint.configuration().vocabularySize
        var result: [Float] = []
        result.reserveCapacity(positions * vocabulary)
        let request = RowLogits.request(Array(0..<positions), vocabulary: vocabulary) { result += $1 }
        try context.run(
            checkpoint, sequences, edits: edits, logits: request, choices: RunChoices(precision: .f32))
        return result
    }

    /// Returns the largest difference between two lists of logits, max |a - b|; NaN if a number is NaN.
    package static func largestDifference(_ a: [Float], _ b: [Float]) -> Double {
        precondition(a.count == b.count, "\(a.count) logits beside \(b.count)")
        var largest: Float = 0
        for index in a.indices {
            let difference = abs(a[index] - b[index])
            if !(difference <= largest) { largest = difference }
            if largest.isNaN { break }
        }
        return Double(largest)
    }
}
