import LinearAlgebra
package import Statistics

/// Chooses the tokens of one continuation.
///
/// Scores are float32 and filtered as `transformers` filters them (5.23, `LogitsProcessorList`), so that the same tokens
/// are kept; only where the edge of top-p falls within a rounding error, or between equal scores, may the two differ
/// (torch leaves the order of equal scores open; here the smaller id is kept first).
package final class Sampler {
    private let vocabulary: Int
    private let sampling: Sampling
    private var random: SeededRandom
    /// The tokens so far, once each.
    private var seen: [Int32] = []
    private var isSeen: [Bool]
    private let scores: UnsafeMutablePointer<Float>  // [vocabulary]
    private let weights: UnsafeMutablePointer<Float>  // [vocabulary], e^(score - peak)
    /// What is left after the filters, ascending; nil: every token.
    private var kept: [Int32]?

    /// - Parameter context: the prompt's tokens, which the repetition penalty counts.
    package init(vocabulary: Int, sampling: Sampling, random: SeededRandom, context: some Sequence<Int32>) {
        self.vocabulary = vocabulary
        self.sampling = sampling
        self.random = random
        isSeen = sampling.repetitionPenalty == 1 ? [] : Array(repeating: false, count: vocabulary)
        scores = .allocate(capacity: vocabulary)
        weights = .allocate(capacity: vocabulary)
        for token in context { note(token) }
    }

    deinit {
        scores.deallocate()
        weights.deallocate()
    }

    /// Chooses a token, and remembers it. Without randomness the first of the likeliest; else one random number is used.
    ///
    /// - Parameter logits: [vocabulary]
    /// - Throws: `ModelError.notFinite` if any logit is NaN or infinite, or becomes so.
    package func next(_ logits: UnsafePointer<Float>) throws -> Int32 {
        let token: Int32
        if sampling.isGreedy {
            try penalise(logits)
            let peak = VectorMath.maximum(scores, count: vocabulary)
            token = Int32((0..<vocabulary).first { scores[$0] == peak } ?? 0)
        } else {
            try filter(logits)
            token = draw()
        }
        note(token)
        return token
    }

    /// The tokens that may be drawn, ascending, and their probabilities.
    package func distribution(_ logits: UnsafePointer<Float>) throws -> [(token: Int32, probability: Float)] {
        try filter(logits)
        let ids = kept ?? (0..<Int32(vocabulary)).map(\.self)
        let total = Float(ids.reduce(0.0) { $0 + Double(weights[Int($1)]) })
        return ids.map { ($0, weights[Int($0)] / total) }
    }

    private func note(_ token: Int32) {
        guard !isSeen.isEmpty, isSeen.indices.contains(Int(token)), !isSeen[Int(token)] else { return }
        isSeen[Int(token)] = true
        seen.append(token)
    }

    /// A token with the probability of its weight, by inversion in the order of ids.
    private func draw() -> Int32 {
        let uniform = random.uniform()
        guard let kept else {
            let target = uniform * VectorMath.sum(weights, count: vocabulary)
            return Int32(inverse(target, count: vocabulary) { $0 })
        }
        let target = uniform * kept.reduce(0.0) { $0 + Double(weights[Int($1)]) }
        return kept[inverse(target, count: kept.count) { Int(kept[$0]) }]
    }

    /// The first place where the sum of weights exceeds the target; the last place with weight when rounding hides it.
    private func inverse(_ target: Double, count: Int, id: (Int) -> Int) -> Int {
        var sum = 0.0
        var last = 0
        for place in 0..<count {
            let weight = weights[id(place)]
            guard weight > 0 else { continue }
            sum += Double(weight)
            last = place
            if sum > target { break }
        }
        return last
    }

    // MARK: Filters

    private func penalise(_ logits: UnsafePointer<Float>) throws {
        guard VectorMath.isFinite(logits, count: vocabulary) else { throw ModelError.notFinite(site: "logits") }
        scores.update(from: logits, count: vocabulary)
        let penalty = Float(sampling.repetitionPenalty)
        for token in seen {
            let score = scores[Int(token)]
            scores[Int(token)] = score < 0 ? score * penalty : score / penalty
        }
    }

    /// Leaves the kept tokens in `kept` and the weights of all in `weights`.
    private func filter(_ logits: UnsafePointer<Float>) throws {
        try penalise(logits)
        if sampling.temperature != 1 {
            VectorMath.divide(scores, by: Float(sampling.temperature), count: vocabulary)
        }
        guard VectorMath.isFinite(scores, count: vocabulary) else {
            throw ModelError.notFinite(site: "logits after repetition penalty and temperature")
        }
        let peak = VectorMath.maximum(scores, count: vocabulary)
        VectorMath.exp(scores, minus: peak, into: weights, count: vocabulary)
        kept = nil
        let buckets = Buckets(scores, peak: peak, count: vocabulary)
        if let k = sampling.topK, k < vocabulary { kept = tokens(from: score(ofRank: k, buckets)) }
        if let p = sampling.topP, p < 1 { keepNucleus(p, buckets) }
        if let p = sampling.minP { keepLikely(p) }
    }

    /// The k-th largest score.
    private func score(ofRank k: Int, _ buckets: Buckets) -> Float {
        let counts = buckets.counts(scores, count: vocabulary)
        var before = 0
        var edge = 0
        while before + counts[edge] < k {
            before += counts[edge]
            edge += 1
        }
        return buckets.members(of: edge, scores, count: vocabulary)[k - before - 1].score
    }

    private func tokens(from bound: Float) -> [Int32] {
        var result: [Int32] = []
        VectorMath.forEach(scores, from: bound, count: vocabulary) { result.append(Int32($0)) }
        return result
    }

    /// Removes token i if the tokens up to it, from the unlikeliest on, have at most 1 - p together.
    ///
    /// torch adds float32 probabilities up in float64 and rounds the sums to float32; from the other end, only the
    /// bucket where the edge lies has to be sorted.
    private func keepNucleus(_ p: Double, _ buckets: Buckets) {
        let limit = Float(1 - p)
        var above = 0.0
        /// Goes through tokens from the likeliest on; the number of those that are kept.
        func prefix(_ list: [Buckets.Member], total: Double, inverse: Float) -> Int {
            for (place, member) in list.enumerated() {
                if above > 0, Float(total - above) <= limit { return place }
                above += Double(weights[Int(member.id)] * inverse)
            }
            return list.count
        }
        if let candidates = kept {
            let list = candidates.map { Buckets.Member(id: $0, score: scores[Int($0)]) }.sorted()
            let inverse = 1 / Float(list.reduce(0.0) { $0 + Double(weights[Int($1.id)]) })
            let total = list.reduce(0.0) { $0 + Double(weights[Int($1.id)] * inverse) }
            let count = prefix(list, total: total, inverse: inverse)
            kept = list.prefix(count).map(\.id).sorted()
            return
        }
        let inverse = 1 / Float(VectorMath.sum(weights, count: vocabulary))
        let masses = buckets.masses(scores, weights, factor: inverse, count: vocabulary)
        let total = masses.reduce(0, +)
        var edge = 0
        while edge < masses.count, Float(total - (above + masses[edge])) > limit {
            above += masses[edge]
            edge += 1
        }
        guard edge < masses.count else { return }
        let list = buckets.members(of: edge, scores, count: vocabulary)
        let count = prefix(list, total: total, inverse: inverse)
        guard count > 0 else {
            // The edge lies between two buckets.
            kept = tokens(from: buckets.leastScore(before: edge, scores, count: vocabulary))
            return
        }
        let last = list[count - 1]
        kept = tokens(from: last.score).filter { scores[Int($0)] > last.score || $0 <= last.id }
    }

    /// Removes tokens less likely than p times the likeliest.
    private func keepLikely(_ p: Double) {
        let candidates = kept ?? (0..<Int32(vocabulary)).map(\.self)
        let total = Float(candidates.reduce(0.0) { $0 + Double(weights[Int($1)]) })
        let bound = Float(p) * (1 / total)
        kept = candidates.filter { weights[Int($0)] / total >= bound }
    }
}

/// Scores sorted roughly into buckets of equal width from the largest down: one pass over a vocabulary, where sorting it
/// would take some twenty times as long.
private struct Buckets {
    struct Member: Comparable {
        let id: Int32
        let score: Float

        /// The larger score first, among equals the smaller id.
        static func < (a: Member, b: Member) -> Bool { (a.score, b.id) > (b.score, a.id) }
    }

    private static let count = 2048
    /// Half the largest score: the difference of two scores may be no number.
    private let top: Float
    /// Buckets for two units of score.
    private let scale: Float

    init(_ scores: UnsafePointer<Float>, peak: Float, count: Int) {
        top = peak * 0.5
        let range = top - VectorMath.minimum(scores, count: count) * 0.5
        scale = range > 1e-30 ? Float(Self.count) / range : 0
    }

    /// Never falls as the score falls.
    @inline(__always)
    private func bucket(_ score: Float) -> Int { min(Int((top - score * 0.5) * scale), Self.count - 1) }

    func counts(_ scores: UnsafePointer<Float>, count: Int) -> [Int] {
        var result = [Int](repeating: 0, count: Self.count)
        result.withUnsafeMutableBufferPointer { result in
            for id in 0..<count { result[bucket(scores[id])] += 1 }
        }
        return result
    }

    func masses(
        _ scores: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, factor: Float, count: Int
    ) -> [Double] {
        var result = [Double](repeating: 0, count: Self.count)
        result.withUnsafeMutableBufferPointer { result in
            for id in 0..<count { result[bucket(scores[id])] += Double(weights[id] * factor) }
        }
        return result
    }

    func members(of bucket: Int, _ scores: UnsafePointer<Float>, count: Int) -> [Member] {
        var result: [Member] = []
        for id in 0..<count where self.bucket(scores[id]) == bucket {
            result.append(Member(id: Int32(id), score: scores[id]))
        }
        return result.sorted()
    }

    func leastScore(before edge: Int, _ scores: UnsafePointer<Float>, count: Int) -> Float {
        var least = Float.infinity
        for id in 0..<count where bucket(scores[id]) < edge { least = min(least, scores[id]) }
        return least
    }
}
