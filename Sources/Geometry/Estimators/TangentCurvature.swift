package import Control
package import LinearAlgebra
package import Statistics
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// How the tangent spaces of a point set turn from place to place: principal angles between those of patches, by the
/// distance of the patches, beside what sampling alone and what chance give.
///
/// A tangent space is that of local PCA, of d directions, from half the points of a patch (`TangentPatches` says which).
/// Two patches i and j are compared by the first half of the one and the second of the other, which share no point; the
/// split-half null compares the two halves of i, and those of j. In |V1'V2|² / d, the mean squared cosine, the mean of
/// the two nulls less the comparison estimates, without bias, |E P_i - E P_j|² / 2d for projectors P on the spaces: 0 if
/// both patches scatter about one space alike, and above 0 otherwise.
package struct TangentCurvature: Sendable {
    package struct Options: Sendable {
        /// Points of a patch; its tangent spaces come from half of them.
        package var k: Int
        /// Directions of a tangent space; nil: the rounded median over patches of Fukunaga and Olsen's rule.
        package var dimension: Int?
        /// Other patches that each is compared with.
        package var neighbours: Int
        /// Draws the halves and the random subspaces.
        package var seed: UInt64

        package init(k: Int = 100, dimension: Int? = nil, neighbours: Int = 10, seed: UInt64 = 0) {
            self.k = k
            self.dimension = dimension
            self.neighbours = neighbours
            self.seed = seed
        }
    }

    /// Two spaces of one dimension.
    package struct Angles: Sendable, Equatable {
        /// In radians.
        package var largest: Double
        package var mean: Double
        /// |V1'V2|² / d, the mean squared cosine.
        package var containment: Double

        init(largest: Double, mean: Double, containment: Double) {
            (self.largest, self.mean, self.containment) = (largest, mean, containment)
        }

        /// - Parameter angles: in radians, ascending.
        init(_ angles: [Double]) {
            let count = Double(angles.count)
            largest = angles.last ?? 0
            mean = angles.reduce(0, +) / count
            containment = 1 - angles.reduce(0) { $0 + sin($1) * sin($1) } / count
        }
    }

    /// Pairs of patches at about one distance.
    package struct Bin: Sendable {
        package let pairs: Int
        /// Between centres, over the median distance between centres.
        package let distance: Double
        package let range: ClosedRange<Double>
        /// Mean share of a patch's points that the other has too.
        package let overlap: Double
        package let largest: Comparison
        package let mean: Comparison
        package let containment: Comparison

        /// What the 95 % interval of the difference in containment says beside `TangentCurvature.margin` of what sampling takes from it;
        /// nil without an interval.
        package var finding: Finding? {
            guard let low = containment.difference.low, let high = containment.difference.high else { return nil }
            // Angles of a twentieth of a degree are the rounding of coordinates.
            let most = max(1e-6, TangentCurvature.margin * (1 - containment.splitHalf.mean))
            return high < -most ? .curved : low > -most ? .flat : .undecided
        }
    }

    package enum Finding: Sendable {
        /// Spaces differ by more than sampling and the margin.
        case curved
        /// They do not.
        case flat
        /// The interval holds the margin.
        case undecided

        /// Whether the points are curved there.
        package var verdict: Verdict {
            switch self {
            case .curved: .supported
            case .flat: .notSupported
            case .undecided: .notDistinguishable
            }
        }
    }

    /// In flat sets with noise, patches err unevenly: near the edge of the set they are stretched otherwise than in its
    /// middle. On flat Gaussians with noise (d = 2, 5, 20) that took up to a fiftieth of what sampling takes from the
    /// containment, a twentieth in one bin of ten, and none of 600 bins was called curved with this margin.
    package static let margin = 0.1

    /// A mean over pairs, its null, and the difference.
    package struct Comparison: Sendable {
        package let between: PairMean
        package let splitHalf: PairMean
        package let difference: PairMean
    }

    /// d
    package let dimension: Int
    /// Points that a space comes from.
    package let pointsPerSpace: Int
    /// Fukunaga and Olsen's count over patches: lower quartile, median, upper quartile.
    package let localDimension: (low: Double, median: Double, high: Double)
    /// Patches that were compared; and those left out because their points span fewer than d directions.
    package let centres: Int
    package let leftOut: Int
    /// Median distance between centres; and the mean radius of a patch over it: at 0.8 and above no patch is local.
    package let medianDistance: Double
    package let locality: Double
    /// Groups of patches that intervals are taken over.
    package let regions: Int
    /// Of two random subspaces; the containment is exact, d/D.
    package let random: Angles
    /// From the nearest pairs to the farthest.
    package let bins: [Bin]

    /// Patches beyond so many tell little more.
    package static let centreLimit = 500
    /// Bytes that the spaces of all patches may take; where d and D are large, fewer patches are read.
    private static let spaceLimit = 1 << 30
    private static let binLimit = 5
    private static let pairsPerBin = 40
    private static let randomPairs = 20

    /// - Throws: `GeometryError` for too few points and for options out of range; `LinearAlgebraError`;
    ///   `CancellationError`.
    package init(_ set: PointSet, _ options: Options, pool: ThreadPool, control: RunControl) throws {
        let (n, width) = (set.count, set.width)
        let k = options.k
        guard n >= 6 else { throw GeometryError.tooFewPoints(found: n, needed: 6) }
        guard (4...n - 2).contains(k) else {
            throw GeometryError.outOfRange(option: "k", value: "\(k)", allowed: "4...\(n - 2), two below the points")
        }
        guard options.neighbours >= 1 else {
            throw GeometryError.outOfRange(option: "neighbours", value: "\(options.neighbours)", allowed: "1 or more")
        }
        guard width >= 2 else {
            throw GeometryError.outOfRange(
                option: "width", value: "\(width)", allowed: "points of 2 coordinates or more")
        }
        // Centring takes one direction from a half; a space of all D coordinates has no angle to another.
        let largest = min(k / 2 - 1, width - 1)
        if let dimension = options.dimension {
            guard (1...largest).contains(dimension) else {
                throw GeometryError.outOfRange(
                    option: "dimension", value: "\(dimension)",
                    allowed: "1...\(largest), below half the patch and below the points' coordinates")
            }
        }
        let limit = min(Self.centreLimit, max(2, Self.spaceLimit / (16 * width * (options.dimension ?? largest))))
        let patches = try TangentPatches(
            set, k: k, limit: limit, seed: options.seed, pool: pool, control: control)
        let counts = patches.localDimensions.compactMap(\.self).sorted()
        guard !counts.isEmpty else { throw GeometryError.noVariance }
        func quantile(_ share: Double) -> Double { counts[Int((share * Double(counts.count - 1)).rounded())] }
        localDimension = (quantile(0.25), quantile(0.5), quantile(0.75))
        let d = options.dimension ?? min(max(1, Int(quantile(0.5).rounded())), largest)
        let spaces = try Self.spaces(set.points, patches, dimension: d, pool: pool, control: control)
        let kept = spaces.indices.filter { spaces[$0] != nil }
        guard kept.count >= 3 else {
            throw GeometryError.outOfRange(
                option: "dimension", value: "\(d)", allowed: "less: the patches' points span fewer directions")
        }
        let pairs = try Self.pairs(patches, spaces, kept, options.neighbours, pool: pool, control: control)
        // Half as many groups as there are patches' worth of points: patches that overlap err together.
        let groups = patches.regions(max(2, n / (2 * k)), of: kept)
        dimension = d
        pointsPerSpace = patches.half
        centres = kept.count
        leftOut = spaces.count - kept.count
        regions = Set(groups.values).count
        let between = kept.flatMap { i in kept.lazy.filter { $0 < i }.map { patches.distance(i, $0) } }.sorted()
        medianDistance = between[between.count / 2]
        locality = kept.reduce(0) { $0 + patches.radii[$1] } / Double(kept.count) / medianDistance
        random = try Self.random(d, width: width, seed: options.seed, control: control)
        bins = Self.bins(pairs, groups, unit: medianDistance)
    }

    private typealias Space = (first: TangentSpace, second: TangentSpace, splitHalf: Angles)

    /// Nil where a half's points span fewer directions.
    private static func spaces(
        _ points: Matrix, _ patches: TangentPatches, dimension: Int, pool: ThreadPool, control: RunControl
    ) throws -> [Space?] {
        let count = patches.centres.count
        var spaces = [Space?](repeating: nil, count: count)
        let step = control.counter(count, "spaces")
        try spaces.withUnsafeMutableBufferPointer { spaces in
            nonisolated(unsafe) let spaces = spaces
            try pool.run(tasks: count) { task, _ in
                do {
                    try control.checkCancellation()
                    let first = try TangentSpace(
                        points, members: patches.first[task].map(Int.init), dimension: dimension)
                    try control.checkCancellation()
                    let second = try TangentSpace(
                        points, members: patches.second[task].map(Int.init), dimension: dimension)
                    spaces[task] = (first, second, Angles(try first.principalAngles(to: second)))
                } catch GeometryError.outOfRange, GeometryError.noVariance {
                    // Left out and counted.
                }
                step()
            }
        }
        return spaces
    }

    struct Pair: Sendable {
        let one: Int
        let other: Int
        let distance: Double
        let overlap: Double
        let between: Angles
        let splitHalf: Angles
    }

    private static func pairs(
        _ patches: TangentPatches, _ spaces: [Space?], _ kept: [Int], _ neighbours: Int, pool: ThreadPool,
        control: RunControl
    ) throws -> [Pair] {
        var pairs = [[Pair]](repeating: [], count: kept.count)
        let step = control.counter(kept.count, "patches compared")
        try pairs.withUnsafeMutableBufferPointer { pairs in
            nonisolated(unsafe) let pairs = pairs
            try pool.run(tasks: kept.count) { task, _ in
                let one = kept[task]
                guard let space = spaces[one] else { return }
                for other in patches.spread(from: one, count: neighbours, among: kept) {
                    try control.checkCancellation()
                    guard let far = spaces[other] else { continue }
                    let (a, b) = (space.splitHalf, far.splitHalf)
                    pairs[task].append(
                        Pair(
                            one: one, other: other, distance: patches.distance(one, other),
                            overlap: patches.overlap(one, other),
                            between: Angles(try space.first.principalAngles(to: far.second)),
                            splitHalf: Angles(
                                largest: (a.largest + b.largest) / 2, mean: (a.mean + b.mean) / 2,
                                containment: (a.containment + b.containment) / 2)))
                }
                step()
            }
        }
        return pairs.flatMap(\.self)
    }

    /// Bins of equally many pairs.
    private static func bins(_ pairs: [Pair], _ groups: [Int: Int], unit: Double) -> [Bin] {
        let sorted = pairs.sorted { ($0.distance, $0.one, $0.other) < ($1.distance, $1.one, $1.other) }
        let count = min(binLimit, max(1, sorted.count / pairsPerBin))
        return (0..<count).compactMap { index in
            let members = sorted[index * sorted.count / count..<(index + 1) * sorted.count / count]
            guard let nearest = members.first, let farthest = members.last else { return nil }
            func comparison(_ value: (Angles) -> Double) -> Comparison {
                func mean(_ of: (Pair) -> Double) -> PairMean {
                    PairMean(members.map { (of($0), groups[$0.one] ?? 0, groups[$0.other] ?? 0) })
                }
                return Comparison(
                    between: mean { value($0.between) }, splitHalf: mean { value($0.splitHalf) },
                    difference: mean { value($0.between) - value($0.splitHalf) })
            }
            func average(_ value: (Pair) -> Double) -> Double {
                members.reduce(0) { $0 + value($1) } / Double(members.count)
            }
            return Bin(
                pairs: members.count, distance: average(\.distance) / unit,
                range: nearest.distance / unit...farthest.distance / unit, overlap: average(\.overlap),
                largest: comparison(\.largest), mean: comparison(\.mean), containment: comparison(\.containment))
        }
    }

    /// Mean angles of random subspaces.
    private static func random(_ dimension: Int, width: Int, seed: UInt64, control: RunControl) throws -> Angles {
        var random = SeededRandom(seed: seed, .randomTangents)
        var drawn: [Angles] = []
        for _ in 0..<randomPairs {
            try control.checkCancellation()
            // Independent normal rows span a subspace without a preferred direction.
            let spaces = try (0..<2).map { _ in
                try TangentSpace(
                    Matrix.normal(rows: dimension + 1, columns: width, random: &random), members: 0...dimension,
                    dimension: dimension)
            }
            drawn.append(Angles(try spaces[0].principalAngles(to: spaces[1])))
        }
        let count = Double(drawn.count)
        return Angles(
            largest: drawn.reduce(0) { $0 + $1.largest } / count, mean: drawn.reduce(0) { $0 + $1.mean } / count,
            containment: Double(dimension) / Double(width))
    }
}
