import Control
import LinearAlgebra

/// What the estimators that read patches say, over patches of the nearest neighbours of many centres.
struct PatchStatistics {
    /// Centres whose patches were read.
    let centres: Int
    private var ratios: [Int: [DebiasedParticipationRatio]] = [:]
    private var means: [DimensionEstimator: Double] = [:]

    init(
        _ set: PointSet, search: NeighbourSearch, estimators: [DimensionEstimator], limit: Int, pool: ThreadPool,
        control: RunControl
    ) throws {
        let wanted = estimators.filter(\.readsPatches)
        let sizes = Set(wanted.map(\.neighbours)).sorted()
        let n = set.count
        centres = wanted.isEmpty ? 0 : min(n, limit)
        guard !wanted.isEmpty else { return }
        let ruleSizes = Set(
            wanted.compactMap { estimator -> Int? in
                if case .localPCA(let k, _) = estimator { k } else { nil }
            })
        // Wide patches share most of their points: each point in about thirty of them is enough.
        let strides = Dictionary(
            uniqueKeysWithValues: sizes.map { ($0, limit < n ? max(1, centres * $0 / (30 * n)) : 1) })
        let share = 4 * SymmetricEigenvalues.lanes
        let tasks = (centres + share - 1) / share
        var results = [Partial](repeating: Partial(), count: tasks)
        let (neighbours, gram) = (search.neighbours, search.gram)
        let count = centres
        let epsilon = Double(Float.ulpOfOne)
        try results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            try pool.run(tasks: tasks) { task, _ in
                var partial = Partial()
                var kernel = PatchKernel()
                var spectra: [Int: PatchEigenvalues] = [:]
                for size in ruleSizes { spectra[size] = try PatchEigenvalues(size: size, width: set.width) }
                func read(_ eigenvalues: [Double], size: Int) { partial.add(eigenvalues, size: size, rules: wanted) }
                for place in task * share..<min(count, (task + 1) * share) {
                    try control.checkCancellation()
                    // Evenly spaced, all of them where they are few.
                    let centre = place * n / count
                    let row = centre * neighbours.k
                    for size in sizes where place % strides[size]! == 0 {
                        let members = neighbours.indices[row..<row + size]
                        if let gram {
                            kernel.fill(gram: gram, members: members)
                            // Inner products about the whole set's mean say little of a patch far from it.
                            var largest: Float = 0
                            for member in members { largest = max(largest, gram[Int(member), Int(member)]) }
                            if epsilon * Double(largest) > 1e-5 * kernel.meanVariance {
                                kernel.fill(set.points, members: members)
                            }
                        } else {
                            kernel.fill(set.points, members: members)
                        }
                        for estimator in wanted where estimator.neighbours == size {
                            try partial.add(estimator, kernel)
                        }
                        try spectra[size]?.add(kernel, patch: place) { read($1, size: size) }
                    }
                }
                for (size, spectra) in spectra { try spectra.finish { read($1, size: size) } }
                results[task] = partial
            }
        }
        for estimator in wanted {
            if case .localParticipationRatio(let k) = estimator {
                ratios[k] = results.flatMap { $0.ratios[k] ?? [] }
                continue
            }
            let sum = results.reduce(0) { $0 + ($1.sums[estimator] ?? 0) }
            let terms = results.reduce(0) { $0 + ($1.counts[estimator] ?? 0) }
            if terms > 0 { means[estimator] = sum / Double(terms) }
        }
    }

    func value(_ estimator: DimensionEstimator) throws -> Double {
        if case .localParticipationRatio(let k) = estimator {
            return try DebiasedParticipationRatio.pooled(ratios[k] ?? [])
        }
        guard let mean = means[estimator] else {
            throw GeometryError.unresolved(estimator: estimator.title, points: estimator.neighbours)
        }
        return mean
    }

    /// Sums over some centres, added up in the order of the centres whoever computed them.
    private struct Partial {
        var ratios: [Int: [DebiasedParticipationRatio]] = [:]
        var sums: [DimensionEstimator: Double] = [:]
        var counts: [DimensionEstimator: Int] = [:]

        /// Rules of local PCA on one patch's eigenvalues.
        mutating func add(_ eigenvalues: [Double], size: Int, rules: [DimensionEstimator]) {
            for estimator in rules {
                guard case .localPCA(size, let rule) = estimator else { continue }
                // A patch without an answer is left out of the mean.
                guard let value = try? rule.dimension(eigenvalues) else { continue }
                sums[estimator, default: 0] += value
                counts[estimator, default: 0] += 1
            }
        }

        mutating func add(_ estimator: DimensionEstimator, _ kernel: PatchKernel) throws {
            do {
                switch estimator {
                case .localParticipationRatio(let k):
                    ratios[k, default: []].append(try DebiasedParticipationRatio(kernel))
                case .simplexSkewness:
                    sums[estimator, default: 0] += try ExpectedSimplexSkewness(kernel).dimension
                    counts[estimator, default: 0] += 1
                default: break
                }
            } catch is GeometryError {
                // A patch without an answer is left out of the mean.
            }
        }
    }
}

extension PatchKernel {
    /// Σ K_ii / n
    var meanVariance: Double {
        guard size > 0 else { return 0 }
        return (0..<size).reduce(0) { $0 + values[$1 * (size + 1)] } / Double(size)
    }
}
