/// How the next token is chosen from a model's logits; the meaning and the order are those of `transformers`:
/// repetition penalty, temperature, top-k, top-p, min-p.
package struct Sampling: Sendable, Equatable {
    /// What logits are divided by; 0: the likeliest token is taken.
    package var temperature: Double
    /// Keeps the k likeliest tokens, and those that are as likely as the last of them. (Fan et al. 2018.)
    package var topK: Int?
    /// Keeps the fewest likeliest tokens whose probabilities reach p together. (Holtzman et al. 2020.)
    package var topP: Double?
    /// Keeps tokens at least so many times as likely as the likeliest. (Nguyen et al. 2024.)
    package var minP: Double?
    /// Divides positive logits of tokens that have occurred, the prompt's too, and multiplies negative ones.
    /// (Keskar et al. 2019.)
    package var repetitionPenalty: Double

    package static let greedy = Sampling()

    package init(
        temperature: Double = 0, topK: Int? = nil, topP: Double? = nil, minP: Double? = nil,
        repetitionPenalty: Double = 1
    ) {
        precondition(temperature >= 0 && temperature.isFinite, "a temperature of \(temperature)")
        precondition(topK.map { $0 >= 1 } ?? true, "top-k of \(topK ?? 0)")
        precondition(topP.map { $0 > 0 && $0 <= 1 } ?? true, "top-p of \(topP ?? 0)")
        precondition(minP.map { $0 >= 0 && $0 <= 1 } ?? true, "min-p of \(minP ?? 0)")
        precondition(repetitionPenalty > 0 && repetitionPenalty.isFinite, "a penalty of \(repetitionPenalty)")
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
    }

    package var isGreedy: Bool { temperature == 0 }
}
