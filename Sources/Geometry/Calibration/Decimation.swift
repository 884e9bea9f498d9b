import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// TwoNN of random parts of a set, drawn without replacement (Facco et al. 2017): what it says at larger scales, and how
/// much it varies. Replacement would make duplicates, which break nearest neighbours.
///
/// A part's neighbours are read from the whole set's: the first two of a point's list that are in the part. A part
/// in which more than one point in a hundred has fewer than two of them in its list is left out.
package struct Decimation: Sendable {
    package struct Step: Sendable {
        /// Points of a part.
        package let count: Int
        /// ln TwoNN of each part.
        package let logs: [Double]

        package var dimension: Double { exp(logs.reduce(0, +) / Double(logs.count)) }
        /// Standard deviation between parts over the mean.
        package var deviation: Double {
            guard logs.count > 1 else { return 0 }
            let mean = logs.reduce(0, +) / Double(logs.count)
            return (logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count - 1)).squareRoot()
        }
    }

    package let steps: [Step]

    /// - Parameters:
    ///   - neighbours: of the whole set.
    ///   - sizes: points of a part; those below 10 are left out.
    ///   - repetitions: parts of each size.
    package init(_ neighbours: NearestNeighbours, sizes: [Int], repetitions: Int, seed: UInt64) {
        var steps: [Step] = []
        for size in sizes where size >= 10 && size <= neighbours.count {
            var logs: [Double] = []
            // There is one way to take all.
            for repetition in 0..<(size == neighbours.count ? 1 : repetitions) {
                var random = SeededRandom(seed: seed, stream: size, repetition)
                var isIn = [Bool](repeating: false, count: neighbours.count)
                for place in random.sample(size, of: neighbours.count) { isIn[place] = true }
                var ratios: [Double] = []
                for point in 0..<neighbours.count where isIn[point] {
                    var first: Double?
                    for rank in 0..<neighbours.k where isIn[Int(neighbours.indices[point * neighbours.k + rank])] {
                        let distance = neighbours.distances[point * neighbours.k + rank]
                        guard let nearest = first else {
                            first = distance
                            continue
                        }
                        if nearest > 0 { ratios.append(distance / nearest) }
                        break
                    }
                }
                // Without those whose second neighbour is too far to be listed, the part would seem nearer than it is.
                guard ratios.count >= size - size / 100, let found = try? TwoNN.estimate(ratios: ratios) else {
                    continue
                }
                logs.append(log(found.slope))
            }
            if !logs.isEmpty { steps.append(Step(count: size, logs: logs)) }
        }
        self.steps = steps
    }
}
