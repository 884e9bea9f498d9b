import Control
import LinearAlgebra
import Statistics
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Patches about some points of a set, each in two halves that share no point with the other half of any patch.
///
/// The set is cut in two at random, once; a patch is the k/2 nearest neighbours of its centre in the one part and the k/2
/// nearest in the other. However much two patches overlap, the first half of the one and the second half of the other are
/// different points, as the two halves of one patch are: what sampling alone does to a comparison is then the same in
/// both, and is measured by the latter.
struct TangentPatches: Sendable {
    /// Points of a half, k/2.
    let half: Int
    /// The centres' places in the set.
    let centres: [Int]
    /// [centres]: both halves, nearest first; none holds its centre.
    let first: [[Int32]]
    let second: [[Int32]]
    /// Fukunaga and Olsen's count for the k nearest neighbours of each centre, nil where they are one point.
    let localDimensions: [Double?]
    /// [centres]: distance to the farthest point of the patch.
    let radii: [Double]
    /// [centres, centres]
    let distances: [Double]

    /// - Parameters:
    ///   - k: points of a patch, at least 4; N - 2 at most, so that either part has half of them.
    ///   - limit: centres, evenly spaced among the points.
    /// - Throws: `LinearAlgebraError`; `CancellationError`.
    init(_ set: PointSet, k: Int, limit: Int, seed: UInt64, pool: ThreadPool, control: RunControl) throws {
        let n = set.count
        let half = k / 2
        precondition(half >= 2 && n >= 2 * half + 2, "patches of \(k) among \(n) points")
        var random = SeededRandom(seed: seed)
        var isFirst = [Bool](repeating: false, count: n)
        for point in random.sample(n / 2, of: n) { isFirst[point] = true }
        let count = min(n, limit)
        let centres = (0..<count).map { $0 * n / count }
        var results = [Patch?](repeating: nil, count: count)
        let step = control.counter(count, "patches")
        let (inFirst, points, width) = (isFirst, set.points, set.width)
        try results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            try pool.run(tasks: count) { task, _ in
                try control.checkCancellation()
                let centre = centres[task]
                // From 500 centres, not from all points: no search is quicker.
                let squared = (0..<n).map { points.squaredDistance(centre, $0) }
                let order = (0..<Int32(n)).sorted { (squared[Int($0)], $0) < (squared[Int($1)], $1) }
                    .filter { Int($0) != centre }
                var kernel = PatchKernel()
                kernel.fill(points, members: order[0..<2 * half])
                let eigenvalues = try LocalPCA.eigenvalues(kernel, width: width)
                let first = Array(order.lazy.filter { inFirst[Int($0)] }.prefix(half))
                let second = Array(order.lazy.filter { !inFirst[Int($0)] }.prefix(half))
                results[task] = Patch(
                    first: first, second: second,
                    radius: (first + second).reduce(0) { max($0, squared[Int($1)]) }.squareRoot(),
                    dimension: try? LocalPCARule.fukunagaOlsen().dimension(eigenvalues),
                    distances: centres.map { squared[$0].squareRoot() })
                step()
            }
        }
        let patches = results.compactMap(\.self)
        self.half = half
        self.centres = centres
        first = patches.map(\.first)
        second = patches.map(\.second)
        localDimensions = patches.map(\.dimension)
        radii = patches.map(\.radius)
        distances = patches.flatMap(\.distances)
    }

    private struct Patch {
        let first: [Int32]
        let second: [Int32]
        let radius: Double
        let dimension: Double?
        let distances: [Double]
    }

    func distance(_ first: Int, _ second: Int) -> Double { distances[first * centres.count + second] }

    /// Share of a patch's points that another has too.
    func overlap(_ one: Int, _ other: Int) -> Double {
        let members = Set(first[one]).union(second[one])
        let shared = first[other].count(where: members.contains) + second[other].count(where: members.contains)
        return Double(shared) / Double(2 * half)
    }

    /// Other centres at ranks that grow geometrically, from the nearest to the farthest.
    func spread(from centre: Int, count wanted: Int, among kept: [Int]) -> [Int] {
        let others = kept.filter { $0 != centre }
            .sorted { (distance(centre, $0), $0) < (distance(centre, $1), $1) }
        let count = min(wanted, others.count)
        guard count > 1 else { return Array(others.prefix(count)) }
        var ranks: [Int] = []
        for step in 0..<count {
            let share = Double(step) / Double(count - 1)
            let rank = Int(pow(Double(others.count), share).rounded())
            // Never one rank twice, and enough left for those to come.
            ranks.append(min(max(rank, (ranks.last ?? 0) + 1), others.count - (count - 1 - step)))
        }
        return ranks.map { others[$0 - 1] }
    }

    /// Groups of centres about so many of them, each centre with the nearest: patches of different groups have few
    /// points in common.
    func regions(_ count: Int, of kept: [Int]) -> [Int: Int] {
        let pivots = (0..<min(count, kept.count)).map { kept[$0 * kept.count / min(count, kept.count)] }
        var result: [Int: Int] = [:]
        for centre in kept {
            result[centre] = pivots.indices.min { distance(centre, pivots[$0]) < distance(centre, pivots[$1]) }
        }
        return result
    }
}
