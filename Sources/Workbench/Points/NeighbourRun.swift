import Control
import LinearAlgebra
import Statistics
import Synchronization

/// A search for the nearest neighbours of rows among all rows of a set of points, including repeated rows.
package struct NeighbourRun {
    package struct Neighbour {
        package let row: Int
        package let distance: Double
        /// The cosine between the row and its neighbour, or nil if one of them is 0.
        package let cosine: Double?
        /// The cosine between the row and its neighbour after the mean of all rows is subtracted, or nil if one of them
        /// is then 0.
        package let centredCosine: Double?
    }

    /// The median distance between two rows of the set of points, which is the scale for judging neighbours.
    package struct Median {
        package let distance: Double
        package let pairs: Int
        /// Whether the pairs of rows were drawn with the seed; if not, the median is that of all pairs.
        package let isSampled: Bool
    }

    package let median: Median
    private let context: RunContext
    private let matrix: Matrix
    private let mean: [Double]

    /// The largest number of pairs of rows of whose distances the median is taken.
    private static let pairLimit = 20_000

    /// Takes the rows of a set of points and computes their mean and their median distance.
    ///
    /// - Throws: `WorkbenchError.notFinitePoint` if a number is NaN or infinite.
    package init(_ context: RunContext, _ source: PointSource) throws {
        self.context = context
        matrix = try source.finiteMatrix()
        context.weigh(matrix, name: source.shortName)
        var sums = [Double](repeating: 0, count: matrix.columns)
        for row in 0..<matrix.rows {
            for (column, value) in matrix.row(row).enumerated() { sums[column] += Double(value) }
        }
        let count = matrix.rows
        mean = sums.map { $0 / Double(count) }
        median = Self.median(matrix, seed: context.seed)
    }

    private static func median(_ matrix: Matrix, seed: UInt64) -> Median {
        let n = matrix.rows
        var distances: [Double] = []
        // Up to 200 rows have few enough pairs to take them all.
        let isSampled = n > 200 && n * (n - 1) / 2 > pairLimit
        if isSampled {
            var random = SeededRandom(seed: seed)
            while distances.count < pairLimit {
                let first = Int.random(in: 0..<n, using: &random)
                let second = Int.random(in: 0..<n, using: &random)
                if first != second { distances.append(matrix.squaredDistance(first, second)) }
            }
        } else {
            for first in 0..<n { for second in 0..<first { distances.append(matrix.squaredDistance(first, second)) } }
        }
        distances.sort()
        let middle = distances.count / 2
        let distance =
            distances.count % 2 == 1
            ? distances[middle].squareRoot() : (distances[middle - 1].squareRoot() + distances[middle].squareRoot()) / 2
        return Median(distance: distance, pairs: distances.count, isSampled: isSampled)
    }

    /// Returns, for each of some rows of the set of points, its `k` nearest neighbours among all other rows, nearest
    /// first.
    ///
    /// - Throws: `CancellationError`.
    package func nearest(_ k: Int, to rows: [Int]) throws -> [[Neighbour]] {
        // A task handles several rows, since the management of a task costs more than the search for one row.
        let perTask = 32
        let tasks = (rows.count + perTask - 1) / perTask
        let results = Mutex([[(row: Int, squaredDistance: Double)]](repeating: [], count: rows.count))
        let step = context.control.counter(rows.count, "rows")
        let (matrix, control) = (matrix, context.control)
        try context.pool.run(tasks: tasks) { task, _ in
            for place in task * perTask..<min((task + 1) * perTask, rows.count) {
                try control.checkCancellation()
                let found = matrix.nearest(k, to: rows[place])
                results.withLock { $0[place] = found }
                step()
            }
        }
        return zip(rows, results.withLock { $0 }).map { row, found in
            found.map {
                Neighbour(
                    row: $0.row, distance: $0.squaredDistance.squareRoot(), cosine: cosine(row, $0.row, centred: false),
                    centredCosine: cosine(row, $0.row, centred: true))
            }
        }
    }

    private func cosine(_ first: Int, _ second: Int, centred: Bool) -> Double? {
        var (product, a, b) = (0.0, 0.0, 0.0)
        for (column, (x, y)) in zip(matrix.row(first), matrix.row(second)).enumerated() {
            let away = centred ? mean[column] : 0
            let (x, y) = (Double(x) - away, Double(y) - away)
            product += x * y
            a += x * x
            b += y * y
        }
        return a > 0 && b > 0 ? product / (a * b).squareRoot() : nil
    }
}
