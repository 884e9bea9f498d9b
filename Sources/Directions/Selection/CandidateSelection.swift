package import Control
import LinearAlgebra
package import Models

/// Finds the direction of a behaviour among the differences in means of all layers and some positions, by the effect of
/// taking each out and of adding it. (Arditi et al. 2024, section 2.3 and appendix C.)
///
/// A candidate r = mean(positive) - mean(negative) at resid_pre of a layer and a position is measured on prompts that
/// it was not made of. *Bypass* is the positives' mean score with h <- h - r̂(r̂'h) at every block's input, attention
/// output and MLP output; *induce* is the negatives' mean score with h <- h + s r at its layer's input, at every
/// position; *KL*(base‖ablated) is that of the negatives at the last position. Candidates with NaN, a KL above the
/// limit, an induce below 0, or a layer >= int(0.8 L) are rejected; of the rest the one with the lowest bypass is
/// chosen, and of equals the first.
///
/// This takes less than three runs for each candidate: late layers are rejected first, adding resumes from the clean
/// stream of the candidate's layer, only candidates that induce are ablated, bypass and KL are measured in one pack,
/// and candidates share packs.
package struct CandidateSelection {
    /// The token ids of a class's prompts.
    package struct Prompts: Sendable {
        /// The prompts from whose mean activations the candidate directions are made.
        package let train: [[Int32]]
        /// The prompts on which the candidate directions are measured.
        package let validation: [[Int32]]

        package init(train: [[Int32]], validation: [[Int32]]) {
            self.train = train
            self.validation = validation
        }
    }

    package struct Options: Sendable, Equatable {
        /// The token positions at which candidate directions are taken, counted from the end of a prompt; -1 is the
        /// last.
        package var positions = [-5, -4, -3, -2, -1]
        /// The factor s by which a candidate's difference in means r is multiplied when it is added.
        package var strength = 1.0
        /// The largest mean KL divergence of the ablated from the unedited model, in nats, at which a candidate is
        /// kept.
        package var divergenceLimit = 0.1
        /// The share of the layers, counted from the last, whose candidates can't be chosen.
        package var prunedShare = 0.2
        /// Whether only positive prompts with a score above 0 and negative prompts with a score below 0 are used.
        package var filtersPrompts = true
        /// Whether a candidate direction that is rejected is measured all the same.
        package var scoresEvery = false

        package init() {}
    }

    private let runner: Runner
    private let positives: Prompts
    private let negatives: Prompts
    private let score: TokenScore
    private let options: Options
    /// The token positions from the end of a prompt, all below 0, at which candidates are taken, ascending.
    private let positions: [Int]

    /// - Throws: `SelectionError` for an empty set, a prompt without one of the positions, or an option out of range.
    package init(
        runner: Runner, positives: Prompts, negatives: Prompts, score: TokenScore, options: Options = Options()
    ) throws {
        self.runner = runner
        self.positives = positives
        self.negatives = negatives
        self.score = score
        self.options = options
        positions = options.positions.sorted()
        try options.check()
        for (which, prompts) in [(PromptClass.positive, positives), (.negative, negatives)] {
            for (part, set) in [("training", prompts.train), ("validation", prompts.validation)] {
                guard !set.isEmpty else { throw SelectionError.noPrompts(which, part: part) }
                if let bad = set.firstIndex(where: { $0.count < -positions[0] }) {
                    throw SelectionError.tooShort(
                        which, part: part, prompt: bad, tokens: set[bad].count, position: positions[0])
                }
            }
        }
    }

    /// Returns the first layer whose candidates are rejected as too late, of a model of some layers with this share
    /// left out.
    package static func firstPrunedLayer(of layers: Int, share: Double) -> Int { Int(Double(layers) * (1 - share)) }

    /// Measures the candidate directions and chooses the one for the behaviour.
    ///
    /// - Throws: `SelectionError` if no prompt of a class has a score of the right sign; `CancellationError`;
    ///   `ModelError`.
    package func run(control: RunControl) throws -> SelectedDirection {
        let work = SelectionWork(runner, control: control)
        let layers = work.layers
        let pruned = Self.firstPrunedLayer(of: layers, share: options.prunedShare)
        let measured = 0..<(options.scoresEvery ? layers : pruned)
        work.remaining = expectedWork(layers: layers, measured: measured.count)

        let base = try BaseRun(work, positives, negatives, score, filters: options.filtersPrompts)
        let sets: [(prompts: [[Int32]], keep: @Sendable (Double) -> Bool)] = [
            (positives.train, { $0 > 0 }), (negatives.train, { $0 < 0 }),
        ]
        let means = try sets.map {
            try ClassMeans(
                work, prompts: $0.prompts, layers: 0..<layers, positions: positions,
                keep: options.filtersPrompts ? $0.keep : nil, score: score)
        }
        for (which, index) in [(PromptClass.positive, 0), (.negative, 1)] where means[index].count == 0 {
            throw SelectionError.noneLeft(which, part: "training", of: sets[index].prompts.count)
        }

        let preparation = work.tokenLayers
        var candidates = self.candidates(means, firstPruned: pruned)
        let positive = base.positives.tokens.count
        let negative = base.negatives.tokens.count
        work.remaining = measured.count * positions.count * (positive + 2 * negative) * layers
        try CandidateMeasurement(work: work, base: base, score: score, options: options, layers: measured)
            .run(&candidates)

        let chosen = Self.choice(candidates)
        return SelectedDirection(
            candidates: candidates, chosen: chosen,
            negativeMean: chosen.map { index in
                let place = index % positions.count
                return means[1].values[candidates[index].layer][place].map(Float.init)
            },
            base: .init(positive: base.positiveScores, negative: base.negativeScores),
            train: .init(positive: means[0].count, negative: means[1].count),
            leftOut: .init(
                positive: positives.train.count - means[0].count + positives.validation.count - base.positives.count,
                negative: negatives.train.count - means[1].count + negatives.validation.count - base.negatives.count),
            tokenLayers: work.tokenLayers,
            naiveTokenLayers: preparation + candidates.count * (positive + 2 * negative) * layers,
            operations: work.operations, sharedTokens: base.sharedTokens, sharedShare: base.sharedShare)
    }

    /// Returns an upper bound of the work of the selection, in tokens times layers.
    private func expectedWork(layers: Int, measured: Int) -> Int {
        func tokens(_ prompts: [[Int32]]) -> Int { prompts.reduce(0) { $0 + $1.count } }
        let positive = tokens(positives.validation)
        let negative = tokens(negatives.validation)
        let train = tokens(positives.train) + tokens(negatives.train)
        return layers * (train + positive + negative + measured * positions.count * (positive + 2 * negative))
    }

    private func candidates(_ means: [ClassMeans], firstPruned: Int) -> [DirectionCandidate] {
        means[0].values.indices.flatMap { layer in
            positions.indices.map { index in
                let (a, b) = (means[0].values[layer][index], means[1].values[layer][index])
                var candidate = DirectionCandidate(
                    layer: layer, position: positions[index], vector: zip(a, b).map { $0 - $1 })
                let scale = (Self.length(a) + Self.length(b)) / 2
                // Rows of f32 are not known more exactly than this; if all are the same row, only rounding is left.
                if candidate.length <= 1e-6 * scale { candidate.rejections.append(.noDirection) }
                if !candidate.length.isFinite { candidate.rejections.append(.notFinite) }
                if layer >= firstPruned { candidate.rejections.append(.layer) }
                return candidate
            }
        }
    }

    private static func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// Returns the index of the candidate that is not rejected and has the lowest mean bypass (the positives' score
    /// without it).
    private static func choice(_ candidates: [DirectionCandidate]) -> Int? {
        var best: (index: Int, bypass: Double)?
        for (index, candidate) in candidates.enumerated() where candidate.isKept {
            guard let bypass = candidate.meanBypass else { continue }
            if best.map({ bypass < $0.bypass }) ?? true { best = (index, bypass) }
        }
        return best?.index
    }
}

extension CandidateSelection.Options {
    /// Checks that the options of a direction's selection are in range.
    ///
    /// - Throws: `SelectionError` that names the first option out of range.
    func check() throws {
        guard !positions.isEmpty, Set(positions).count == positions.count, positions.allSatisfy({ $0 < 0 }) else {
            throw SelectionError.badPositions(positions)
        }
        guard strength.isFinite, strength != 0 else {
            throw SelectionError.badOption(name: "the strength", problem: "must be a number other than 0")
        }
        guard divergenceLimit >= 0 else {
            throw SelectionError.badOption(name: "the limit of KL", problem: "must be 0 or more")
        }
        guard (0..<1).contains(prunedShare) else {
            throw SelectionError.badOption(
                name: "the share of layers left out", problem: "must be at least 0 and less than 1")
        }
    }
}
