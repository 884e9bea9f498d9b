#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The distributions that an unedited model predicts after some prompts, for KL(base‖edited).
///
/// KL = Σ p ln p - Σ p x + ln Σ e^x over the vocabulary, where p are the unedited model's probabilities and x the
/// edited logits. The unedited model's part, Σ p ln p, is summed once.
struct BaseAnswers {
    private let vocabulary: Int
    /// The probabilities p that the unedited model gives to each next token, [prompts, vocabulary].
    private var probabilities: [Double]
    /// The sums Σ p ln p of the unedited model's probabilities p over the vocabulary, in nats, [prompts].
    private var negativeEntropies: [Double]

    init(prompts: Int, vocabulary: Int) {
        self.vocabulary = vocabulary
        probabilities = Array(repeating: 0, count: prompts * vocabulary)
        negativeEntropies = Array(repeating: 0, count: prompts)
    }

    /// Calls `body` with a writer of the prompts' distributions, each of which is written by one thread.
    mutating func withWriter<Result>(_ body: (Writer) throws -> Result) rethrows -> Result {
        try probabilities.withUnsafeMutableBufferPointer { probabilities in
            try negativeEntropies.withUnsafeMutableBufferPointer { entropies in
                try body(Writer(probabilities: probabilities, entropies: entropies))
            }
        }
    }

    struct Writer: @unchecked Sendable {
        fileprivate let probabilities: UnsafeMutableBufferPointer<Double>
        fileprivate let entropies: UnsafeMutableBufferPointer<Double>

        func write(prompt: Int, _ logits: UnsafeBufferPointer<Float>, _ normalizer: LogNormalizer) {
            let row = prompt * logits.count
            let logTotal = normalizer.value
            var entropy = 0.0
            for id in logits.indices {
                let logit = Double(logits[id])
                let p = normalizer.probability(logits[id])
                probabilities[row + id] = p
                // A probability that has underflowed has a logarithm of -∞ only if its logit is -∞.
                if p > 0 { entropy += p * (logit - logTotal) }
            }
            entropies[prompt] = entropy
        }
    }

    /// Returns KL(base‖edited), the divergence of the edited from the unedited model, in nats at one prompt's last
    /// position; NaN if an edited logit is NaN.
    func divergence(prompt: Int, _ logits: UnsafeBufferPointer<Float>, _ normalizer: LogNormalizer) -> Double {
        let row = prompt * vocabulary
        var expected = 0.0
        probabilities.withUnsafeBufferPointer { p in
            for id in 0..<vocabulary where p[row + id] > 0 { expected += p[row + id] * Double(logits[id]) }
        }
        let value = negativeEntropies[prompt] - expected + normalizer.value
        // Rounding can give a value below 0; `max` would also turn NaN into 0.
        return value < 0 ? 0 : value
    }

    /// Returns the unedited model's distributions after some of the prompts, in that order.
    func subset(_ prompts: [Int]) -> BaseAnswers {
        guard prompts != Array(negativeEntropies.indices) else { return self }
        var result = BaseAnswers(prompts: 0, vocabulary: vocabulary)
        for prompt in prompts {
            result.probabilities += probabilities[prompt * vocabulary..<(prompt + 1) * vocabulary]
            result.negativeEntropies.append(negativeEntropies[prompt])
        }
        return result
    }
}
