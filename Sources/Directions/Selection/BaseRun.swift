import LinearAlgebra
import Models

/// The validation prompts, with the unedited model's scores and distributions after each.
struct BaseRun {
    let positives: TokenSequences
    let negatives: TokenSequences
    let positiveScores: [Double]
    let negativeScores: [Double]
    /// The unedited model's next-token distributions after the negative prompts.
    let answers: BaseAnswers

    /// - Parameter filters: whether prompts whose score has the wrong sign (positives below, negatives above 0) are
    ///   left out.
    /// - Throws: `SelectionError.noneLeft`; `ModelError.notFinite`, as where a weight is NaN.
    init(
        _ work: SelectionWork, _ positives: CandidateSelection.Prompts, _ negatives: CandidateSelection.Prompts,
        _ score: TokenScore, filters: Bool
    ) throws {
        let all = TokenSequences(positives.validation + negatives.validation)
        let split = positives.validation.count
        let scores = SharedResults(count: all.count)
        var answers = BaseAnswers(prompts: negatives.validation.count, vocabulary: work.vocabulary)
        try answers.withWriter { writer in
            try work.last(all) { prompt, logits, normalizer in
                scores[prompt] = score.score(logits, normalizer: normalizer)
                if prompt >= split { writer.write(prompt: prompt - split, logits, normalizer) }
            }
        }
        let (first, second) = (scores.values(0..<split), scores.values(split..<all.count))
        guard !(first + second).contains(where: \.isNaN) else { throw ModelError.notFinite(site: "logits") }
        let keptPositives = first.indices.filter { !filters || first[$0] > 0 }
        let keptNegatives = second.indices.filter { !filters || second[$0] < 0 }
        guard !keptPositives.isEmpty else {
            throw SelectionError.noneLeft(.positive, part: "validation", of: first.count)
        }
        guard !keptNegatives.isEmpty else {
            throw SelectionError.noneLeft(.negative, part: "validation", of: second.count)
        }
        self.positives = TokenSequences(keptPositives.map { positives.validation[$0] })
        self.negatives = TokenSequences(keptNegatives.map { negatives.validation[$0] })
        positiveScores = keptPositives.map { first[$0] }
        negativeScores = keptNegatives.map { second[$0] }
        self.answers = answers.subset(keptNegatives)
    }

    /// The number of tokens with which every validation prompt begins, without any prompt's last token.
    var sharedTokens: Int {
        let first = positives.tokens(of: 0)
        return [positives, negatives].reduce(first.count - 1) { shared, set in
            (0..<set.count).reduce(shared) { shared, prompt in
                let tokens = set.tokens(of: prompt)
                return min(tokens.count - 1, zip(first, tokens).prefix(shared).prefix { $0 == $1 }.count)
            }
        }
    }

    /// The share of all validation prompts' tokens that would be saved if the tokens that begin every prompt were run
    /// once.
    var sharedShare: Double {
        let prompts = positives.count + negatives.count
        return Double(sharedTokens * (prompts - 1)) / Double(positives.tokens.count + negatives.tokens.count)
    }
}
