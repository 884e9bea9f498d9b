#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// One dimension of what several calibrated estimators say, with an interval.
///
/// The rule is in logarithms, with P the mean of the local participation ratio and of simplex skewness at k = 25, and T
/// of TwoNN (0.7) and GRIDE at ranks 2 and 4 (0.3):
///
/// - In few dimensions neighbours are near, so distances can be trusted where patches are too wide; and patches whose
///   ratio grows with k are bent. There the estimate goes from P down to T, if T is the smaller. Elsewhere density and
///   borders move T more than P, and P stands.
/// - A set that a Gaussian of its covariance explains (the surrogate ratio is at its null), and whose patches look
///   smaller the wider they are, as those of a power-law spectrum do, or that its 99 % of variance all but fills, has the
///   dimension of its linear span: the 99 %, if that is the larger.
///
/// The fit takes a ratio above -0.1 in logarithm for linear; here one that is not below its null counts too, which small
/// sets need. Its constants and those of the interval are fitted by Scripts/estimators/fit.py on planted families, never on a
/// benchmark that is reported.
package struct CombinedEstimate: Sendable, Equatable {
    package let value: Double
    /// 90 %, at least as wide as sampling makes it.
    package let interval: ClosedRange<Double>
    /// The least and the largest of calibrated TwoNN, local participation ratios and full correlation.
    package let hull: ClosedRange<Double>

    /// Whether neighbours lie so far apart that a set of half the dimensions, bent, looks the same: the interval then
    /// reaches down to half.
    package let isUnresolved: Bool

    /// From 0 where a hundred neighbours are near, to 1 where they are as far as most points.
    private static func unresolved(_ locality: Double) -> Double { min(max((locality - 0.75) / 0.1, 0), 1) }

    /// What the rule and the interval read, in logarithms.
    private struct Reading {
        var patches: Double
        var distances: Double
        /// How the local participation ratio changes from k = 25 to 100, and to 300.
        var slope: Double
        var longSlope: Double
        var d99: Double
        var ratio: Double
        /// Smallest and largest of the local estimates.
        var least: Double
        var largest: Double
        /// Mean distance to the 100th neighbour over the median distance.
        var locality: Double
        /// No set has more dimensions than its covariance has.
        var rank: Double
    }

    /// Whether a Gaussian of the same covariance has neighbours as close: the ratio is not below its null, or by less than
    /// a tenth, which one layer in twenty would be by chance.
    static func isLinear(_ surrogate: SurrogateTest) -> Bool {
        !surrogate.isBelowNull || log(surrogate.ratio / surrogate.nullRatio) > linearRatio
    }

    private static let linearRatio = -0.1

    /// - Parameters:
    ///   - calibrated: TwoNN at least.
    ///   - sampling: standard deviation of ln TwoNN by subsampling.
    /// - Throws: `GeometryError.unresolved` if too few estimators have an answer.
    init(
        _ calibrated: [DimensionEstimator: Double], profile: DimensionProfile, surrogate: SurrogateTest,
        sampling: Double
    ) throws {
        guard let twoNN = calibrated[.twoNN] else {
            throw GeometryError.unresolved(estimator: "calibrated TwoNN", points: profile.count)
        }
        let reading = Self.reading(calibrated, twoNN: twoNN, profile: profile, surrogate: surrogate)
        let estimate = min(max(Self.estimate(reading), 0), reading.rank)
        var (below, above) = Self.interval(reading, estimate: estimate)
        // Fitted on 1,200 points and more; fewer vary more.
        let spread = 1.645 * sampling
        below = (below * below + spread * spread).squareRoot()
        above = (above * above + spread * spread).squareRoot()
        isUnresolved = Self.unresolved(reading.locality) > 0.5
        value = Self.dimension(estimate)
        interval =
            Self.dimension(
                max(0, estimate - below))...Self.dimension(
                max(estimate, min(reading.rank, estimate + above)))
        let parts = [
            .twoNN, .localParticipationRatio(k: 25), .localParticipationRatio(k: 50), .localParticipationRatio(k: 100),
            .localParticipationRatio(k: 300), .fullCorrelation,
        ].compactMap { (estimator: DimensionEstimator) in calibrated[estimator] }
        hull = max(1, parts.min() ?? value)...max(1, parts.max() ?? value)
    }

    /// exp, without the last digits' error where it is whole: an end at the rank is the rank.
    private static func dimension(_ logarithm: Double) -> Double {
        let value = exp(logarithm)
        return abs(value - value.rounded()) < 1e-9 * value ? value.rounded() : value
    }

    private static func reading(
        _ calibrated: [DimensionEstimator: Double], twoNN: Double, profile: DimensionProfile, surrogate: SurrogateTest
    ) -> Reading {
        func value(_ estimator: DimensionEstimator) -> Double? { calibrated[estimator].map { log($0) } }
        let t = log(twoNN)
        let patches = [DimensionEstimator.localParticipationRatio(k: 25), .simplexSkewness(k: 25)].compactMap(value)
        let p = patches.isEmpty ? t : patches.reduce(0, +) / Double(patches.count)
        let narrow = value(.localParticipationRatio(k: 25)) ?? p
        let wide = value(.localParticipationRatio(k: 100)) ?? narrow
        var local: [DimensionEstimator] =
            [.twoNN, .gride(near: 2), .simplexSkewness(k: 100)]
            + [25, 50, 100, 300].map { .localParticipationRatio(k: $0) }
        // Near its cap local PCA says only that there are many.
        let pca = DimensionEstimator.localPCA(k: 100)
        if let raw = profile.values[pca], !pca.isCapped(raw) { local.append(pca) }
        let logs = local.compactMap(value) + [p]
        // N points span N - 1 dimensions, which says nothing of how many there are; and a row far from all others hides
        // from the spectrum what every patch shows.
        let spanned = profile.spectrum?.rank ?? profile.width
        let isHidden = log(Double(max(spanned, 1))) < (logs.min() ?? 0) - 0.1
        let isSpanned = spanned >= (profile.spectrum?.count ?? profile.count) - 1
        let rank = isSpanned || isHidden ? profile.width : spanned
        return Reading(
            patches: p, distances: 0.7 * t + 0.3 * (value(.gride(near: 2)) ?? t), slope: wide - narrow,
            longSlope: (value(.localParticipationRatio(k: 300)) ?? wide) - narrow, d99: value(.d99) ?? p,
            ratio: isLinear(surrogate) ? 0 : min(log(surrogate.ratio / surrogate.nullRatio), linearRatio),
            least: logs.min() ?? t, largest: logs.max() ?? t,
            locality: profile.locality.filter { $0.key <= 100 }.max { $0.key < $1.key }?.value ?? 1,
            rank: log(Double(max(rank, 1))))
    }

    private static func estimate(_ r: Reading) -> Double {
        let low = 1 / (1 + exp(2 * (r.patches - log(8))))
        let bent = min(max(r.slope / 0.04, 0), 1)
        let local = r.patches + max(low, bent) * min(r.distances - r.patches, 0)
        guard r.ratio == 0 else { return local }
        let shrinks = r.longSlope < -0.05
        return shrinks || r.d99 < local + log(1.1) ? max(r.d99, local) : local
    }

    /// How far the interval reaches below and above the estimate: quantile regressions (Koenker and Bassett 1978) on the
    /// planted families. Where nothing is local a bent set of half the dimensions looks the same, so that the lower end is
    /// half as far up again (`isUnresolved`).
    private static func interval(_ r: Reading, estimate: Double) -> (below: Double, above: Double) {
        let bent = r.ratio == 0 ? 0.0 : 1.0
        let wide = min(max((r.locality - 0.6) / 0.3, 0), 1)
        let down = max(estimate - r.least, 0)
        let up = max(r.largest - estimate, 0)
        let span = max(r.d99 - estimate, 0)
        let below = 0.02 + 1.107 * down + 0.003 * wide + bent * (0.136 * wide + 0.009)
        let above = 0.036 + 0.88 * up + (r.ratio == 0 ? 0.908 : 0.253) * span + 0.007 * bent
        return (below + unresolved(r.locality) * log(2), above)
    }
}
