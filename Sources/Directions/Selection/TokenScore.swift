#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif
import LinearAlgebra

/// The probability that a reply begins with one of some tokens, as log-odds: ln(p + 1e-8) - ln(1 - p + 1e-8), where p
/// is the tokens' joint probability. (Arditi et al. 2024, appendix C, for refusals.)
///
/// The score is above 0 if one of the tokens is more likely than all others together, and never beyond ±18.42.
package struct TokenScore: Sendable, Equatable {
    /// The ids of the tokens whose joint probability is scored, ascending, each once.
    package let tokens: [Int]

    /// A small probability that keeps the logarithms of the score finite.
    private static let floor = 1e-8

    /// - Throws: `SelectionError` if there is no token, or one that is not in the vocabulary.
    package init(tokens: some Sequence<Int>, vocabulary: Int) throws {
        let distinct = Set(tokens).sorted()
        guard !distinct.isEmpty else { throw SelectionError.noTokens }
        if let bad = distinct.first(where: { !(0..<vocabulary).contains($0) }) {
            throw SelectionError.tokenOutOfRange(id: bad, vocabulary: vocabulary)
        }
        self.tokens = distinct
    }

    /// Returns the log-odds of the tokens from one position's logits, [vocabulary], in float64; NaN if a logit is NaN
    /// or +∞.
    package func callAsFunction(_ logits: UnsafeBufferPointer<Float>) -> Double {
        score(logits, normalizer: LogNormalizer(logits))
    }

    func score(_ logits: UnsafeBufferPointer<Float>, normalizer: LogNormalizer) -> Double {
        var probability = 0.0
        for token in tokens { probability += normalizer.probability(logits[token]) }
        return log(probability + Self.floor) - log(1 - probability + Self.floor)
    }
}

/// The normaliser ln Σ e^x over a row of logits x, with every exponential in float64: `VectorMath.logSumExp` takes them
/// in f32, which costs a score its digits where the probability comes near 1.
struct LogNormalizer {
    /// The largest logit of the row.
    let peak: Double
    /// The sum Σ e^(x - peak) over the row's logits x, where `peak` is the largest.
    let total: Double

    init(_ logits: UnsafeBufferPointer<Float>) {
        precondition(!logits.isEmpty, "no logits")
        let peak = Double(VectorMath.maximum(logits.baseAddress!, count: logits.count))
        // There are two sums, so that one exponential need not wait for the other.
        var (even, odd) = (0.0, 0.0)
        var index = 0
        while index + 2 <= logits.count {
            even += exp(Double(logits[index]) - peak)
            odd += exp(Double(logits[index + 1]) - peak)
            index += 2
        }
        if index < logits.count { even += exp(Double(logits[index]) - peak) }
        self.peak = peak
        total = even + odd
    }

    /// The logarithm ln Σ e^x over the row's logits x.
    var value: Double { peak + log(total) }

    func probability(_ logit: Float) -> Double { exp(Double(logit) - peak) / total }
}
