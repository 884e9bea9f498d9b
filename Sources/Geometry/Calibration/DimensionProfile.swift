package import Control
package import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What several estimators say of one point set, from one search for neighbours.
package struct DimensionProfile: Sendable {
    /// Points, coordinates.
    package let count: Int
    package let width: Int
    /// What was asked for, in the order of asking.
    package let order: [DimensionEstimator]
    /// Estimates as their definitions give them, nothing calibrated; those that could not be computed are absent.
    package let values: [DimensionEstimator: Double]
    /// Why those absent are.
    package let failures: [DimensionEstimator: GeometryError]
    package let neighbours: NearestNeighbours
    /// Of the whole set, where an estimator that was wanted needs it.
    package let spectrum: GlobalSpectrum?
    /// Patches' centres: all points, or so many, evenly spaced.
    package let centres: Int
    /// Mean distance to the k-th neighbour over the median distance between points, by k: at 0.8 and above nothing is
    /// local.
    package let locality: [Int: Double]

    /// Above so many points, inner products are not kept, and patches are formed from the rows.
    package static let gramLimit = 12_000
    /// Patches beyond so many tell little more.
    package static let patchLimit = 1000

    /// - Parameters:
    ///   - set: the points.
    ///   - estimators: those wanted; what needs more neighbours than there are is absent from the result.
    ///   - patchLimit: centres whose patches are read, at most.
    /// - Throws: `GeometryError` if there are too few points for any estimator; `CancellationError`.
    package init(
        _ set: PointSet, estimators: [DimensionEstimator] = DimensionEstimator.calibrated, patchLimit: Int = patchLimit,
        pool: ThreadPool, control: RunControl
    ) throws {
        let n = set.count
        guard n > 2 else { throw GeometryError.tooFewPoints(found: n, needed: 3) }
        let wanted = estimators.filter { $0.neighbours < n }
        let k = max(2, wanted.map(\.neighbours).max() ?? 2)
        let readsPatches = wanted.contains(where: \.readsPatches)
        let search = try NeighbourSearch(
            set, k: k, keepsGram: readsPatches && n <= Self.gramLimit, pool: pool, control: control)
        var values: [DimensionEstimator: Double] = [:]
        var failures: [DimensionEstimator: GeometryError] = [:]
        for estimator in estimators where estimator.neighbours >= n {
            failures[estimator] = .tooFewPoints(found: n, needed: estimator.neighbours + 1)
        }
        let patches = try PatchStatistics(
            set, search: search, estimators: wanted, limit: patchLimit, pool: pool, control: control)
        let spectrum =
            wanted.contains(where: \.readsSpectrum) ? try GlobalSpectrum(set, control: control) : nil
        for estimator in wanted {
            try control.checkCancellation()
            do {
                values[estimator] = try Self.value(
                    estimator, set, search.neighbours, patches, spectrum, pool: pool, control: control)
            } catch let error as GeometryError {
                failures[estimator] = error
            }
        }
        count = n
        width = set.width
        order = estimators
        self.values = values
        self.failures = failures
        neighbours = search.neighbours
        self.spectrum = spectrum
        centres = patches.centres
        locality = Self.locality(set, search.neighbours, Set(wanted.map(\.neighbours)).filter { $0 > 0 })
    }

    private static func value(
        _ estimator: DimensionEstimator, _ set: PointSet, _ neighbours: NearestNeighbours, _ patches: PatchStatistics,
        _ spectrum: GlobalSpectrum?, pool: ThreadPool, control: RunControl
    ) throws -> Double? {
        switch estimator {
        case .localPCA, .localParticipationRatio, .simplexSkewness: try patches.value(estimator)
        case .maximumLikelihood(let k): try MaximumLikelihood.estimate(neighbours, k: k)
        case .twoNN: try TwoNN.estimate(neighbours).slope
        case .twoNNLikelihood: try TwoNN.estimate(neighbours).maximumLikelihood
        case .gride(let near): try GRIDE.estimate(neighbours, near: near).dimension
        case .correlation(let near, let far):
            try CorrelationDimension.betweenNeighbours(
                neighbours, of: set.points, near: near, far: far, pool: pool, control: control)
        case .correlationSlope: try CorrelationDimension.slope(set.points, control: control).dimension
        case .fullCorrelation: try FullCorrelation(set.points, control: control).dimension
        case .participationRatio: try spectrum.map { try $0.debiased.dimension() }
        case .principalComponents(let rule): try spectrum.map { try rule.dimension($0.variances) }
        case .d99: spectrum.map(\.d99)
        }
    }

    /// The median distance of seeded pairs is that of all to within a percent or two.
    private static func locality(_ set: PointSet, _ neighbours: NearestNeighbours, _ ranks: Set<Int>) -> [Int: Double] {
        var random = SeededRandom(seed: 0)
        let (n, d) = (set.count, set.width)
        let distances = set.points.values.withUnsafeBufferPointer { values in
            (0..<1000).map { _ in
                let first = Int.random(in: 0..<n, using: &random)
                let second = (first + Int.random(in: 1..<n, using: &random)) % n
                var sum = 0.0
                for column in 0..<d {
                    let difference = Double(values[first * d + column]) - Double(values[second * d + column])
                    sum += difference * difference
                }
                return sum.squareRoot()
            }
        }.sorted()
        let median = distances[distances.count / 2]
        var result: [Int: Double] = [:]
        for rank in ranks where rank <= neighbours.k && median > 0 {
            var sum = 0.0
            for point in 0..<n { sum += neighbours.distance(point, rank: rank) }
            result[rank] = sum / Double(n) / median
        }
        return result
    }
}
