import LinearAlgebra
import Models

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A model's distribution over the next token at one position: the logits over the vocabulary, and quantities that
/// follow from them in float64.
package struct Distribution {
    package let logits: [Float]
    /// The logarithm of the sum that normalises the probabilities, ln Σ e^logit over the vocabulary.
    private let normaliser: Double

    /// Takes the logits over the vocabulary at one position.
    ///
    /// - Throws: `ModelError.notFinite` if any logit is NaN or infinite.
    package init(_ logits: UnsafeBufferPointer<Float>) throws {
        self.logits = Array(logits)
        guard self.logits.allSatisfy(\.isFinite), let start = logits.baseAddress else {
            throw ModelError.notFinite(site: "logits")
        }
        normaliser = VectorMath.logSumExp(start, count: logits.count)
    }

    /// Returns the surprise of the token with an id, -ln p for its probability p, in nats.
    package func surprise(_ id: Int) -> Double { normaliser - Double(logits[id]) }

    package func probability(_ id: Int) -> Double { exp(-surprise(id)) }

    /// The entropy of the next token, -Σ p ln p over the probabilities p of all tokens, in nats.
    package var entropy: Double {
        logits.indices.reduce(0) { sum, id in
            let surprise = surprise(id)
            return sum + exp(-surprise) * surprise
        }
    }

    /// Returns the Kullback-Leibler divergence KL(self ‖ other) of this distribution from another, in nats.
    package func divergence(from other: Distribution) -> Double {
        logits.indices.reduce(0) { $0 + probability($1) * (other.surprise($1) - surprise($1)) }
    }

    /// Returns the ids of the `count` likeliest next tokens, likeliest first; of equal ones the smaller id comes first.
    package func top(_ count: Int) -> [Int] {
        guard count < 64 else {
            return logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }.prefix(count).map(\.self)
        }
        var best: [Int] = []
        for id in logits.indices {
            if best.count == count, logits[id] <= logits[best[count - 1]] { continue }
            let place = best.firstIndex { logits[$0] < logits[id] } ?? best.count
            best.insert(id, at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }

    /// Returns the rank of the token with an id, from 1: one more than the number of likelier tokens.
    package func rank(of id: Int) -> Int { logits.count { $0 > logits[id] } + 1 }
}

extension RunContext {
    /// Returns a checkpoint's distribution over the token that follows a text, given as token ids.
    ///
    /// - Throws: `WorkbenchError`, `ModelError`, `CancellationError`.
    package func answer(
        _ checkpoint: LoadedCheckpoint, after ids: [Int32], choices: RunChoices? = nil
    ) throws -> Distribution {
        let vocabulary = try checkpoint.configuration().vocabularySize
        var distribution: Distribution?
        let request = RowLogits.request([ids.count - 1], vocabulary: vocabulary) { _, logits in
            distribution = try Distribution(logits)
        }
        try run(checkpoint, TokenSequences([ids]), logits: request, choices: choices)
        guard let distribution else { throw WorkbenchError.emptyPrompt("the text") }
        return distribution
    }
}
