package import Control
package import LinearAlgebra
package import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The dimension of one point set, with what is needed to believe it: several estimators, each calibrated, a null, a
/// ceiling, one estimate of them all with its interval, and what kind of set that makes it.
package struct ManifoldMeasurement: Sendable {
    package let count: Int
    package let width: Int
    package let duplicates: Int
    package let profile: DimensionProfile
    /// Each estimator's number as a dimension: what flat and spherical samples of that dimension give.
    package let calibrated: [DimensionEstimator: Double]
    package let surrogate: SurrogateTest
    /// TwoNN of independent Gaussian coordinates that fill all D.
    package let whiteNoise: Double?
    /// Each estimator's number for such noise.
    package let noise: [DimensionEstimator: Double]
    /// 90 % of TwoNN under the surrogates' null, as dimensions.
    package let surrogateDimensions: ClosedRange<Double>?
    package let estimate: CombinedEstimate
    /// Share of the variance that the three coordinates of largest variance hold.
    package let rogueShare: Double
    package let rogueCoordinates: [Int]

    /// What kind of set the points are.
    package enum Structure: String, Sendable {
        /// As independent Gaussian coordinates of all D would be.
        case noise = "not distinguishable from noise"
        /// As a Gaussian of the same covariance would be.
        case linear = "linear subspace"
        /// Neighbours lie closer than in any Gaussian of the same covariance.
        case curved = "curved"
    }

    package let structure: Structure
    /// Variances above 1e-12 of the largest.
    package var rank: Int { profile.spectrum?.rank ?? min(count - 1, width) }
    /// Whether the points are too few to span the dimensions that they may have.
    package var isRankLimited: Bool { (profile.spectrum.map { $0.rank >= $0.count - 1 } ?? false) }
    /// Share of the points whose two nearest neighbours are equally far.
    package let tieShare: Double

    /// What the estimate says of a claimed range of dimensions.
    package enum Finding: String, Sendable {
        case curved = "supported, curved"
        case linear = "supported, linear subspace"
        /// The interval reaches the claim, the estimate is outside it.
        case open = "not excluded"
        case outside = "not supported"
        case noise = "not distinguishable from noise"

        /// Whether the range holds.
        package var verdict: Verdict {
            switch self {
            case .curved, .linear: .supported
            case .outside: .notSupported
            case .open, .noise: .notDistinguishable
            }
        }
    }

    package func finding(on claim: ClosedRange<Double>) -> Finding {
        if structure == .noise { return .noise }
        guard estimate.interval.overlaps(claim) else { return .outside }
        guard claim.contains(estimate.value) else { return .open }
        return structure == .linear ? .linear : .curved
    }

    /// The three coordinates that may be rogue.
    package static let rogueCount = 3

    /// - Parameters:
    ///   - set: at least 10 points.
    ///   - calibration: of about as many points, and of as many coordinates at least.
    ///   - surrogates: samples for the null.
    ///   - whole: of the same points with more coordinates, whose surrogates stand for these; its patches tell enough, so
    ///     that fewer are read here.
    ///   - seed: of the surrogates.
    /// - Throws: `GeometryError`, `CancellationError`.
    package init(
        _ set: PointSet, calibration: Calibration, surrogates: Int = 8, of whole: ManifoldMeasurement? = nil,
        seed: UInt64, pool: ThreadPool, control: RunControl
    ) throws {
        count = set.count
        width = set.width
        duplicates = set.duplicates
        profile = try DimensionProfile(
            set, patchLimit: whole == nil ? DimensionProfile.patchLimit : Calibration.patchLimit, pool: pool,
            control: control)
        var calibrated: [DimensionEstimator: Double] = [:]
        for (estimator, value) in profile.values {
            calibrated[estimator] = calibration.dimension(estimator, raw: value)
        }
        self.calibrated = calibrated
        guard let twoNN = profile.values[.twoNN] else {
            throw profile.failures[.twoNN] ?? GeometryError.unresolved(estimator: "TwoNN", points: set.count)
        }
        // No noise in so few coordinates has neighbours so evenly far: a lattice, to rounding.
        if let ceiling = calibration.whiteNoise(.twoNN, width: set.width), twoNN > 4 * max(ceiling, 2) {
            throw GeometryError.equalDistances(near: 1, far: 2)
        }
        let table = profile.neighbours
        tieShare =
            Double((0..<table.count).count { table.distance($0, rank: 2) <= table.distance($0, rank: 1) * (1 + 1e-6) })
            / Double(table.count)
        surrogate =
            try whole?.surrogate
            ?? SurrogateTest(
                set, twoNN: twoNN, repetitions: surrogates, seed: seed, pool: pool, control: control)
        var noise: [DimensionEstimator: Double] = [:]
        for estimator in profile.order { noise[estimator] = calibration.whiteNoise(estimator, width: set.width) }
        self.noise = noise
        whiteNoise = noise[.twoNN]
        // What TwoNN of these points would be, were they such a Gaussian.
        let spread = surrogate.nullSpread
        if let low = calibration.dimension(.twoNN, raw: surrogate.surrogate * spread.lowerBound),
            let high = calibration.dimension(.twoNN, raw: surrogate.surrogate * spread.upperBound)
        {
            surrogateDimensions = low...high
        } else {
            surrogateDimensions = nil
        }
        estimate = try CombinedEstimate(
            calibrated, profile: profile, surrogate: surrogate, sampling: Self.samplingDeviation(profile, seed: seed))
        rogueCoordinates = set.rogueCoordinates(Self.rogueCount)
        rogueShare = set.varianceShare(of: rogueCoordinates)
        structure = Self.structure(profile, surrogate, whiteNoise: whiteNoise)
    }

    private static func structure(_ profile: DimensionProfile, _ surrogate: SurrogateTest, whiteNoise: Double?)
        -> Structure
    {
        guard CombinedEstimate.isLinear(surrogate) else { return .curved }
        guard let whiteNoise, let twoNN = profile.values[.twoNN] else { return .linear }
        // Noise fills all coordinates alike, and its neighbours are as far apart as they can be.
        let spread = surrogate.nullDeviation * (1 + 1 / Double(surrogate.repetitions)).squareRoot()
        let fills = (profile.values[.participationRatio] ?? 0) >= 0.9 * Double(profile.width)
        return fills && log(twoNN / whiteNoise) > -2 * spread ? .noise : .linear
    }

    /// Standard deviation of ln TwoNN, by halves of the points drawn without replacement: with 1/N - 1/(N/2) of the
    /// variance, that of the whole.
    private static func samplingDeviation(_ profile: DimensionProfile, seed: UInt64) -> Double {
        Decimation(profile.neighbours, sizes: [profile.count / 2], repetitions: 16, seed: seed).steps.first?.deviation
            ?? 0
    }
}
