import LinearAlgebra
import Models
package import Sites

/// The logit lens: the answer that each site of the residual stream would give if the model ended there. (nostalgebraist
/// 2020.)
package struct LensRun {
    /// One site's answer beside the model's own.
    package struct Row {
        package let site: Site
        package let likeliest: Int
        /// Of the likeliest token.
        package let probability: Double
        /// In nats.
        package let entropy: Double
        /// KL(final || site), in nats.
        package let divergence: Double
        /// Rank and probability of the model's own answer here; ranks count from 1.
        package let rankOfAnswer: Int
        package let probabilityOfAnswer: Double
    }

    package struct Result {
        /// The likeliest token at the end.
        package let answer: Int
        package let rows: [Row]
    }

    private let context: RunContext
    private let checkpoint: LoadedCheckpoint

    package init(_ context: RunContext, _ checkpoint: LoadedCheckpoint) {
        self.context = context
        self.checkpoint = checkpoint
    }

    /// - Parameters:
    ///   - ids: the prompt.
    ///   - position: one of its positions.
    ///   - sites: in the order of computation, each a part of the residual stream; nil: the embedding and each layer's output.
    /// - Throws: `WorkbenchError`, `ModelError`, `CancellationError`.
    package func run(
        _ ids: [Int32], at position: Position, sites shown: [Site]?, choices: RunChoices
    ) throws -> Result {
        let c = try checkpoint.configuration()
        let shown = shown ?? [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
        // The final answer is what the others are compared with.
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
