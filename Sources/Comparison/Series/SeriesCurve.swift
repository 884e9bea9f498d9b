import Geometry
import LinearAlgebra
package import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// One measure along a series of checkpoints, with one entry for each checkpoint.
package struct SeriesCurve {
    /// A value of the measure, or its difference between two checkpoints, with its standard error.
    package struct Estimate {
        package let value: Double
        /// The standard error: 0 for a value that is known exactly, nil if unknown.
        package let standardError: Double?

        package init(_ value: Double, standardError: Double?) {
            self.value = value
            self.standardError = standardError
        }

        package init(_ mean: ClusteredMean) {
            self.init(mean.mean, standardError: mean.halfWidth.map { $0 / Proportion.z95 })
        }
    }

    package let name: String
    package var unit: String?
    /// The measure's value for each checkpoint by itself; nil for a measure that needs two checkpoints, such as
    /// similarity.
    package var values: [Estimate?]?
    /// The measure's difference, distance or similarity of each checkpoint from the first; nil for the first itself.
    package var toFirst: [Estimate?]
    /// The measure's difference, distance or similarity of each checkpoint from the one before it; nil for the first.
    package var toBefore: [Estimate?]
    /// The measure's difference, distance or similarity of each checkpoint from the last; nil for the last itself.
    package var toLast: [Estimate?]
    /// Whether `toFirst`, `toBefore` and `toLast` are similarities, 1 for equal ones, rather than differences.
    package var isSimilarity = false
    /// Whether the curve's numbers are natural logarithms of the measure, so that differences are logarithms of ratios.
    package var isLogarithmic = false
    /// The measured value of each checkpoint if `values` has their logarithms; else nil.
    package var measured: [Double?]?
    /// For each checkpoint, the similarity of its activations with the last checkpoint's when their rows are paired at
    /// random: the value that a similarity has for unrelated rows.
    package var floors: [Double?]?
    /// The value of the measure that noise, or a model without knowledge, would give, with its name, such as "white
    /// noise".
    package var null: (value: Double, of: String)?
    /// The changes of the measure from each checkpoint to the next, with standard errors; empty for a measure that
    /// needs two checkpoints, such as similarity.
    package var steps: [StepTest.Step] = []
    /// The changes, from each checkpoint to the next, of the distance from the last checkpoint, without the step to the
    /// last itself, whose distance is 0 by definition.
    package var approach: [StepTest.Step] = []

    /// The numbers that are tested for following the order of the checkpoints: the measure's values if it has any, else
    /// the distances from the last checkpoint, without the last.
    package var ordered: [Double] {
        if let values { return values.compactMap { $0?.value } }
        return toLast.dropLast().compactMap { $0.map { isSimilarity ? 1 - $0.value : $0.value } }
    }

    /// The size of each step from one checkpoint to the next: the change of the measure's value, else the distance.
    package var changes: [Double] {
        guard values == nil else { return toBefore.dropFirst().compactMap { $0?.value } }
        return toBefore.dropFirst().compactMap { $0.map { isSimilarity ? 1 - $0.value : $0.value } }
    }
}

extension SeriesCurve {
    /// Makes the curve of the models' cross-entropy, whose differences between checkpoints are taken token by token.
    ///
    /// - Parameters:
    ///   - losses: [checkpoint][prompt][token] in nats, of the same tokens for each checkpoint.
    ///   - vocabulary: the number of tokens in the vocabulary, V; the null is ln V nats, the loss of equal
    ///     probabilities.
    package init(losses: [[[Double]]], vocabulary: Int) {
        func difference(_ a: [[Double]], _ b: [[Double]]) -> Estimate? {
            ClusteredMean(zip(a, b).map { zip($0, $1).map { $0 - $1 } }).map { Estimate($0) }
        }
        name = "loss"
        unit = "nats a token"
        values = losses.map { ClusteredMean($0).map { Estimate($0) } }
        toFirst = losses.indices.map { $0 == 0 ? nil : difference(losses[$0], losses[0]) }
        toBefore = losses.indices.map { $0 == 0 ? nil : difference(losses[$0], losses[$0 - 1]) }
        let last = losses.count - 1
        let gaps = losses.indices.map { $0 == last ? nil : difference(losses[$0], losses[last]) }
        toLast = gaps
        null = (log(Double(vocabulary)), "equal chances")
        steps = toBefore.dropFirst().compactMap { $0.map { .init($0.value, standardError: $0.standardError) } }
        approach = (1..<max(1, last)).compactMap { index in
            guard let before = gaps[index - 1], let here = gaps[index] else { return nil }
            let signs = (before.value < 0 ? -1.0 : 1.0, here.value < 0 ? -1.0 : 1.0)
            let pairs = losses[index].indices.map { prompt in
                losses[index][prompt].indices.map { token in
                    let end = losses[last][prompt][token]
                    return signs.1 * (losses[index][prompt][token] - end)
                        - signs.0 * (losses[index - 1][prompt][token] - end)
                }
            }
            return ClusteredMean(pairs).map { StepTest.Step($0) }
        }
    }

    /// Makes the curve of a measure whose values are positive and compared by their ratios; all standard errors come
    /// from the same measure over random halves of the activations.
    ///
    /// - Parameters:
    ///   - numbers: the measure's value for each checkpoint; nil if it could not be measured.
    ///   - parts: the values over halves of the rows, [checkpoint][half], the same halves for each checkpoint.
    package init(name: String, unit: String?, numbers: [Double?], parts: [[Double?]]) {
        self.name = name
        self.unit = unit
        isLogarithmic = true
        measured = numbers
        func logarithm(_ number: Double?) -> Double? { number.flatMap { $0 > 0 && $0.isFinite ? log($0) : nil } }
        let whole = numbers.map(logarithm)
        let halves = parts.map { $0.map(logarithm) }
        func spread(_ numbers: [Double?]) -> Double? {
            let found = numbers.compactMap(\.self)
            return found.count >= SeriesRun.draws / 2 ? Halves.spread(found) : nil
        }
        func combined(_ i: Int, _ j: Int, _ body: (Double, Double) -> Double) -> Estimate? {
            guard let a = whole[i], let b = whole[j] else { return nil }
            let parts = zip(halves[i], halves[j]).map { x, y in x.flatMap { x in y.map { body(x, $0) } } }
            return Estimate(body(a, b), standardError: spread(parts))
        }
        let last = whole.count - 1
        values = whole.indices.map { index in
            whole[index].map { Estimate($0, standardError: spread(halves[index])) }
        }
        toFirst = whole.indices.map { $0 == 0 ? nil : combined($0, 0, -) }
        toBefore = whole.indices.map { $0 == 0 ? nil : combined($0, $0 - 1, -) }
        toLast = whole.indices.map { $0 == last ? nil : combined($0, last, -) }
        steps = toBefore.dropFirst().compactMap { $0.map { .init($0.value, standardError: $0.standardError) } }
        guard let end = whole[last] else { return }
        approach = (1..<max(1, last)).compactMap { index in
            guard let before = whole[index - 1], let here = whole[index] else { return nil }
            let parts = halves[index].indices.map { half -> Double? in
                guard let x = halves[index - 1][half], let y = halves[index][half], let z = halves[last][half] else {
                    return nil
                }
                return abs(y - z) - abs(x - z)
            }
            return .init(abs(here - end) - abs(before - end), standardError: spread(parts))
        }
    }
}
