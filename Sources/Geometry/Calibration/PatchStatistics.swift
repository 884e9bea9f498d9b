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
        let share = 16
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
                for place in task * share..<min(count, (task + 1) * share) {
                    try control.checkCancellation()
                    // Evenly spaced, all of them where they are few.
                    let centre = place * n / count
                    let row = centre * neighbours.k
                    for size in sizes {
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
                            try partial.add(estimator, kernel, width: set.width)
                        }
                    }
                }
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

        mutating func add(_ estimator: DimensionEstimator, _ kernel: PatchKernel, width: Int) throws {
            do {
                let value: Double
                switch estimator {
                case .localParticipationRatio(let k):
                    ratios[k, default: []].append(try DebiasedParticipationRatio(kernel))
                    return
                case .localPCA:
                    value = try LocalPCARule.fukunagaOlsen().dimension(LocalPCA.eigenvalues(kernel, width: width))
                case .simplexSkewness:
                    value = try ExpectedSimplexSkewness(kernel).dimension
                default: preconditionFailure("\(estimator.name) reads no patches")
                }
                sums[estimator, default: 0] += value
                counts[estimator, default: 0] += 1
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
