import LinearAlgebra
import Models
package import Sites

/// The logit lens: the answer that each site of the residual stream would give if the model ended there (nostalgebraist
/// 2020).
package struct LensRun {
    /// The next-token answer that one site of the residual stream would give, beside the model's own.
    package struct Row {
        package let site: Site
        package let likeliest: Int
        /// The probability that the site's answer gives its likeliest token.
        package let probability: Double
        /// The entropy of the site's answer, in nats.
        package let entropy: Double
        /// The Kullback-Leibler divergence KL(final || site) of the model's final answer from the site's, in nats.
        package let divergence: Double
        /// The rank, from 1, that the site's answer gives to the likeliest token of the model's own answer.
        /// `probabilityOfAnswer` is that token's probability at the site.
        package let rankOfAnswer: Int
        package let probabilityOfAnswer: Double
    }

    package struct Result {
        /// The likeliest token of the model's own answer.
        package let answer: Int
        package let rows: [Row]
    }

    private let context: RunContext
    private let checkpoint: LoadedCheckpoint

    package init(_ context: RunContext, _ checkpoint: LoadedCheckpoint) {
        self.context = context
        self.checkpoint = checkpoint
    }

    /// Runs the model on a prompt and reads the next-token answer that each site of the residual stream would give.
    ///
    /// - Parameters:
    ///   - ids: The tokens of the prompt.
    ///   - position: One of the prompt's positions.
    ///   - shown: The sites in the order of computation, each as wide as the residual stream. They are the embedding
    ///     and each layer's output when it is nil.
    ///   - choices: The memory and the precision of the run.
    /// - Throws: `WorkbenchError`, `ModelError`, `CancellationError`.
    package func run(
        _ ids: [Int32], at position: Position, sites shown: [Site]?, choices: RunChoices
    ) throws -> Result {
        let c = try checkpoint.configuration()
        let shown = shown ?? [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
        // The site of the final answer is always included, because the other answers are compared with it.
        let last = Site(.residPost, layer: c.layers - 1)
        let sites = shown.contains(last) ? shown : shown + [last]
        let positions = try context.positions(position, checkpoint, ids: [ids], includesLeading: true)
        let matrices = try context.rows(checkpoint, [ids], positions: positions, sites: sites, choices: choices)
        let stacked = Matrix(
            rows: sites.count, columns: c.hiddenSize, values: sites.flatMap { matrices[$0]?.values ?? [] })
        var answers: [Distribution?] = Array(repeating: nil, count: sites.count)
        try checkpoint.namingBadTensors(context) {
            try context.runner(checkpoint, precision: choices.precision).unembed(stacked, control: context.control) {
                range, logits, _ in
                for (index, row) in range.enumerated() {
                    answers[row] = try Distribution(
                        UnsafeBufferPointer(start: logits + index * c.vocabularySize, count: c.vocabularySize))
                }
            }
        }
        let all = answers.compactMap(\.self)
        guard let place = sites.firstIndex(of: last), all.indices.contains(place) else {
            throw WorkbenchError.modelHasNoSite(last)
        }
        let final = all[place]
        let answer = final.top(1)[0]
        return Result(
            answer: answer,
            rows: zip(shown, all).map { site, found in
                let best = found.top(1)[0]
                return Row(
                    site: site, likeliest: best, probability: found.probability(best), entropy: found.entropy,
                    divergence: final.divergence(from: found), rankOfAnswer: found.rank(of: answer),
                    probabilityOfAnswer: found.probability(answer))
            })
    }
}
