import LinearAlgebra
import Models
import Sites

/// Measures candidate directions on the validation prompts: only those that can still be chosen, or all.
struct CandidateMeasurement {
    let work: SelectionWork
    let base: BaseRun
    let score: TokenScore
    let options: CandidateSelection.Options
    /// The layers whose candidate directions are measured.
    let layers: Range<Int>

    /// Returns how many candidates, each of some tokens, go through the layers together, so that each weight is used
    /// for as many rows as pay off.
    private static func together(_ tokens: Int) -> Int { max(1, Runner.packTokens / max(1, tokens)) }

    /// Measures the candidate directions of all `layers`, and records their scores and the reasons why they are
    /// rejected.
    func run(_ candidates: inout [DirectionCandidate]) throws {
        let addition = work.layers * base.negatives.tokens.count
        let ablation = work.layers * (base.positives.tokens.count + base.negatives.tokens.count)
        var clean: ResidualStart?
        var waiting: [Int] = []
        let most = Self.together(base.positives.tokens.count + base.negatives.tokens.count)
        for layer in layers {
            let start = try cleanStart(layer, after: clean)
            clean = start
            let measured = candidates.indices.filter { index in
                candidates[index].layer == layer && isMeasurable(candidates[index])
            }
            let absent = candidates.count { $0.layer == layer } - measured.count
            work.skip(absent * (addition + ablation) + measured.count * layer * base.negatives.tokens.count)
            for group in measured.groups(of: Self.together(base.negatives.tokens.count)) {
                try add(group, start, &candidates)
            }
            for index in measured {
                if candidates[index].isKept || options.scoresEvery {
                    waiting.append(index)
                } else {
                    work.skip(ablation)
                }
            }
            while waiting.count >= most {
                try ablate(Array(waiting.prefix(most)), &candidates)
                waiting.removeFirst(most)
            }
        }
        if !waiting.isEmpty { try ablate(waiting, &candidates) }
    }

    /// Returns whether a candidate direction is measured at all; without a direction nothing can be ablated or added.
    private func isMeasurable(_ candidate: DirectionCandidate) -> Bool {
        let rejections = candidate.rejections
        guard !rejections.contains(.noDirection), !rejections.contains(.notFinite) else { return false }
        return rejections.isEmpty || options.scoresEvery
    }

    /// Returns the negative prompts' unedited residual stream at a layer's input, resumed from that at an earlier
    /// layer.
    private func cleanStart(_ layer: Int, after previous: ResidualStart?) throws -> ResidualStart {
        let positions = (0..<base.negatives.count).map { Array(0..<base.negatives.rows(of: $0).count) }
        let rows = RowSelection(base.negatives, positions: positions, isMean: false)
        let streams = try work.residuals(base.negatives, at: layer..<layer + 1, rows, from: previous)
        guard let stream = streams[Site(.residPre, layer: layer)] else {
            preconditionFailure("no rows of resid_pre[\(layer)]")
        }
        return ResidualStart(layer: layer, stream: stream)
    }

    /// Adds each candidate direction of a group at its layer to the negative prompts' stream, and scores their answers.
    private func add(_ group: [Int], _ clean: ResidualStart, _ candidates: inout [DirectionCandidate]) throws {
        let prompts = base.negatives.count
        let sequences = base.negatives.repeated(group.count)
        let stream = Matrix(
            rows: sequences.tokens.count, columns: work.width,
            values: Array(repeatElement(clean.stream.values, count: group.count).joined()))
        let edit = CandidateEdit.addition(
            group.map { candidates[$0].vector.map { Float(options.strength * $0) } }, promptsEach: prompts,
            layer: clean.layer)
        let scores = SharedResults(count: sequences.count)
        let score = score
        try work.last(sequences, edits: [edit], from: ResidualStart(layer: clean.layer, stream: stream)) {
            scores[$0] = score.score($1, normalizer: $2)
        }
        for (place, index) in group.enumerated() {
            candidates[index].induce = scores.values(place * prompts..<(place + 1) * prompts)
            let mean = candidates[index].meanInduce ?? .nan
            if mean.isNaN {
                candidates[index].rejections.append(.notFinite)
            } else if mean < 0 {
                candidates[index].rejections.append(.induce)
            }
        }
    }

    /// Ablates each candidate direction of a group, scores the positive prompts' answers and measures the KL divergence
    /// on the negative ones.
    private func ablate(_ group: [Int], _ candidates: inout [DirectionCandidate]) throws {
        let positives = base.positives.count
        let each = positives + base.negatives.count
        let sequences = base.positives.followed(by: base.negatives).repeated(group.count)
        let edit = CandidateEdit.ablation(group.map { candidates[$0].unit }, promptsEach: each, layers: work.layers)
        let results = SharedResults(count: sequences.count)
        let (score, answers) = (score, base.answers)
        try work.last(sequences, edits: [edit]) { place, logits, normalizer in
            let prompt = place % each
            results[place] =
                prompt < positives
                ? score.score(logits, normalizer: normalizer)
                : answers.divergence(prompt: prompt - positives, logits, normalizer)
        }
        for (place, index) in group.enumerated() {
            let start = place * each
            candidates[index].bypass = results.values(start..<start + positives)
            candidates[index].divergence = results.values(start + positives..<start + each)
            let divergence = candidates[index].meanDivergence ?? .nan
            if divergence.isNaN || (candidates[index].meanBypass ?? .nan).isNaN {
                if !candidates[index].rejections.contains(.notFinite) {
                    candidates[index].rejections.append(.notFinite)
                }
            } else if divergence > options.divergenceLimit {
                candidates[index].rejections.append(.divergence)
            }
        }
    }
}

extension TokenSequences {
    fileprivate func repeated(_ times: Int) -> TokenSequences {
        TokenSequences((0..<times).flatMap { _ in (0..<count).map { Array(tokens(of: $0)) } })
    }

    fileprivate func followed(by other: TokenSequences) -> TokenSequences {
        TokenSequences(
            (0..<count).map { Array(tokens(of: $0)) } + (0..<other.count).map { Array(other.tokens(of: $0)) })
    }
}

extension Array {
    fileprivate func groups(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
