package import Control
package import LinearAlgebra
package import Statistics
import Workbench

/// The deflated contrast null, a test of how many directions the differences between two sets have beyond the
/// differences between rows of one class.
///
/// The following is repeated: the largest singular value of the differences X is compared with the 99th percentile of
/// those of random matrices of the same size, whose rows are differences of two rows of one class. If it is above, its
/// direction is projected out of both; otherwise the search ends. Noise of any covariance is in both alike, for which a
/// null of flipped signs or a share of the energy can't account. (At the 95th percentile, one set in a hundred without
/// a direction got one.)
package struct DeflatedContrastNull: Sendable {
    /// One comparison of the differences' largest singular value with that of random contrasts (differences within a
    /// class).
    package struct Step: Sendable, Equatable {
        /// The largest singular value σ of the differences, after the directions found before are projected out.
        package let sigma: Double
        /// The median of the largest singular values of the random draws of contrasts within a class.
        package let nullMedian: Double
        /// The quantile at the test's level, by default the 99th percentile, of the draws' largest singular values; of
        /// too few draws, their greatest.
        package let nullBound: Double
        /// The number of random draws whose largest singular value reaches `sigma`, out of all draws.
        package let reached: Proportion

        package var isAbove: Bool { sigma > nullBound }
        /// The ratio (σ / median of the null's σ)², σ a largest singular value: the energy of the differences along the
        /// direction over that of noise along its own first direction.
        package var signalToNoise: Double? { nullMedian > 0 ? sigma * sigma / (nullMedian * nullMedian) : nil }
    }

    /// The comparisons with the null, in order: one more than the rank (the number of directions found), unless the
    /// search ended at `limit` or because nothing was left.
    package let steps: [Step]
    /// The directions found, [rank, width]: unit vectors, each signed so that most differences project on its positive
    /// side.
    package let directions: [[Double]]
    /// The root mean square of the differences' projections on each direction found, [rank].
    package let sizes: [Double]
    /// The number of differences between two sets that were used; of more than `rowLimit`, a sample is drawn.
    package let rows: Int
    package let draws: Int
    package let limit: Int

    package var rank: Int { directions.count }
    /// Whether the search found as many directions as its limit, so that there may be more.
    package var endedAtLimit: Bool { rank == limit && rank > 0 }

    /// The largest number of differences, and of rows of a class, that are used; of more, a sample is drawn, because a
    /// draw's cost grows with the square of their number. More than four classes share four times this number.
    package static let rowLimit = 512
    /// The default quantile, of the largest singular values of random contrasts, that the differences' has to exceed.
    package static let level = 0.99

    /// - Parameters:
    ///   - differences: the differences between two sets, [n, width], n >= 2, uncentred.
    ///   - classes: the rows of each class, [rows, width] each, with at least two rows; contrasts are drawn from them
    ///     in proportion to `shares`.
    ///   - shares: the share of contrasts that each class gives; nil takes the classes' numbers of rows.
    ///   - scale: the factor by which contrasts are multiplied: 1 if a difference has the noise of two rows, as a
    ///     contrast has; √½ if a difference has the noise of one.
    ///   - limit: the largest number of directions that are looked for.
    ///   - draws: the number of random matrices of contrasts that are drawn for the null.
    ///   - level: the quantile of the draws' largest singular values that the differences' has to exceed, from 0 to 1.
    /// - Throws: `DirectionsError` for too few rows; `SubspaceError` for widths that differ and for NaN;
    ///   `LinearAlgebraError` from LAPACK; `CancellationError`.
    package init(
        differences: Matrix, classes: [Matrix], shares: [Double]? = nil, scale: Double = 1, limit: Int = 16,
        draws: Int = 100, level: Double = Self.level, seed: UInt64, pool: ThreadPool? = nil,
        control: RunControl = RunControl()
    ) throws {
        precondition(!classes.isEmpty && draws > 0 && limit > 0, "no classes, no draws or no directions")
        precondition(shares.map { $0.count == classes.count } ?? true, "a share for each class")
        let width = differences.columns
        guard differences.rows >= 2 else {
            throw DirectionsError.tooFewRows("difference", found: differences.rows, needed: 2)
        }
        if let bad = differences.firstNonFinite { throw SubspaceError.notFiniteRow("difference", row: bad.row) }
        for rows in classes {
            guard rows.rows >= 2 else { throw DirectionsError.tooFewRows("contrast", found: rows.rows, needed: 2) }
            guard rows.columns == width else { throw SubspaceError.differentWidths(width, rows.columns) }
            if let bad = rows.firstNonFinite { throw SubspaceError.notFiniteRow("contrast", row: bad.row) }
        }
        var random = SeededRandom(seed: seed, .contrastRows)
        let used = random.sample(min(Self.rowLimit, differences.rows), of: differences.rows)
        let n = used.count
        // All rows stand one below another: the differences, then the classes. Everything else is arithmetic on their
        // products.
        var rows: [Double] = []
        for row in used { rows += differences.row(row).map(Double.init) }
        // The products of all rows are kept, so many classes share one limit.
        let most = min(Self.rowLimit, max(8, 4 * Self.rowLimit / classes.count))
        let kept = classes.map { random.sample(min(most, $0.rows), of: $0.rows) }
        let members = Contrasts(kept.map(\.count), shares: shares ?? classes.map { Double($0.rows) }, firstRow: n)
        for (matrix, chosen) in zip(classes, kept) {
            let mean = matrix.columnMeans
            // A contrast does not depend on its class's mean; without the mean less is lost to rounding.
            for row in chosen { rows += zip(matrix.row(row), mean).map { Double($0) - $1 } }
        }
        let total = rows.count / width
        var gram = Gram.rows(rows, rows: total, columns: width)
        let energy = (0..<n).reduce(0) { $0 + gram[$1 * total + $1] }

        var steps: [Step] = []
        var directions: [[Double]] = []
        var sizes: [Double] = []
        while steps.count < min(limit, n, width) {
            try control.checkCancellation()
            let block = Self.block(gram, total, n)
            let eigen = try SymmetricEigen(of: block, size: n)
            // When everything is projected out, only rounding is left: for f32 rows, a ten-thousandth of the largest
            // sigma.
            guard eigen.values[0] > 1e-8 * energy else { break }
            let sigma = eigen.values[0].squareRoot()
            let null = try Self.null(
                gram, total, members, rows: n, draws: draws, seed: seed, scale: scale, pool: pool, control: control)
            let bound = null[min(draws - 1, Int((level * Double(draws)).rounded(.up)) - 1)]
            let step = Step(
                sigma: sigma, nullMedian: null[draws / 2], nullBound: bound,
                reached: Proportion(null.lazy.map { $0 >= sigma }))
            steps.append(step)
            guard step.isAbove else { break }

            var direction = [Double](repeating: 0, count: width)
            for row in 0..<n { Arithmetic.add(rows, row * width, times: eigen.vectors[row], to: &direction) }
            let length = Arithmetic.norm(direction)
            direction = direction.map { $0 / length }
            let shadows = (0..<total).map { Arithmetic.dot(rows, $0 * width, direction) }
            let sign = PairedPrincipalDirections.sign(Array(shadows.prefix(n)))
            directions.append(direction.map { sign * $0 })
            sizes.append(sigma / Double(n).squareRoot())
            for row in 0..<total {
                for column in 0..<width { rows[row * width + column] -= shadows[row] * direction[column] }
                Arithmetic.subtract(shadows, times: shadows[row], fromRow: row, of: &gram, size: total)
            }
        }
        self.steps = steps
        self.directions = directions
        self.sizes = sizes
        self.rows = n
        self.draws = draws
        self.limit = limit
    }

    private static func block(_ gram: [Double], _ total: Int, _ n: Int) -> [Double] {
        var block: [Double] = []
        block.reserveCapacity(n * n)
        for row in 0..<n { block += gram[row * total..<row * total + n] }
        return block
    }

    /// Returns the largest singular value of each random draw of contrasts, ascending. Each draw has its own random
    /// numbers, the same at every step, so that the number of threads changes nothing.
    private static func null(
        _ gram: [Double], _ total: Int, _ members: Contrasts, rows n: Int, draws: Int, seed: UInt64, scale: Double,
        pool: ThreadPool?, control: RunControl
    ) throws -> [Double] {
        var values = [Double](repeating: 0, count: draws)
        func value(_ draw: Int) throws -> Double {
            try control.checkCancellation()
            var random = SeededRandom(seed: seed, .contrasts, draw)
            let pairs = (0..<n).map { _ in members.draw(&random) }
            let matrix = Contrasts.gram(pairs, gram, total)
            return scale * (try LargestEigenvalue.of(matrix, size: n)).squareRoot()
        }
        guard let pool else {
            for draw in 0..<draws { values[draw] = try value(draw) }
            return values.sorted()
        }
        try values.withUnsafeMutableBufferPointer { values in
            nonisolated(unsafe) let values = values
            try pool.run(tasks: draws) { draw, _ in values[draw] = try value(draw) }
        }
        return values.sorted()
    }
}

/// Draws random contrasts: pairs of different rows of one class.
private struct Contrasts {
    private let starts: [Int]
    private let counts: [Int]
    private let cumulative: [Double]

    /// - Parameters:
    ///   - counts: the number of rows of each class.
    ///   - shares: the weight with which each class is drawn.
    ///   - firstRow: the place of the first class's first row among all rows.
    init(_ counts: [Int], shares: [Double], firstRow: Int) {
        self.counts = counts
        starts = counts.indices.map { firstRow + counts.prefix($0).reduce(0, +) }
        cumulative = shares.indices.map { shares.prefix($0 + 1).reduce(0, +) / shares.reduce(0, +) }
    }

    /// Draws a contrast and returns the indices of its two different rows of one class, among all rows.
    func draw(_ random: inout SeededRandom) -> (Int, Int) {
        let place = random.uniform()
        let chosen = cumulative.firstIndex { place < $0 } ?? cumulative.count - 1
        let count = counts[chosen]
        let first = Int(random.next() % UInt64(count))
        var second = Int(random.next() % UInt64(count - 1))
        if second >= first { second += 1 }
        return (starts[chosen] + first, starts[chosen] + second)
    }

    /// Returns the inner products of the contrasts a - b (differences of two rows) with one another, [pairs, pairs],
    /// computed from those of all rows, [total, total].
    static func gram(_ pairs: [(Int, Int)], _ gram: [Double], _ total: Int) -> [Double] {
        let n = pairs.count
        return [Double](unsafeUninitializedCapacity: n * n) { result, initialized in
            gram.withUnsafeBufferPointer { gram in
                pairs.withUnsafeBufferPointer { pairs in
                    for row in 0..<n {
                        let plus = gram.baseAddress! + pairs[row].0 * total
                        let minus = gram.baseAddress! + pairs[row].1 * total
                        for column in 0...row {
                            let (a, b) = pairs[column]
                            let product = plus[a] - plus[b] - minus[a] + minus[b]
                            result[row * n + column] = product
                            result[column * n + row] = product
                        }
                    }
                }
            }
            initialized = n * n
        }
    }
}

extension Arithmetic {
    /// Subtracts factor · x from one row of a square matrix, [size, size], in place.
    static func subtract(_ x: [Double], times factor: Double, fromRow row: Int, of matrix: inout [Double], size: Int) {
        x.withUnsafeBufferPointer { x in
            matrix.withUnsafeMutableBufferPointer { matrix in
                for column in 0..<size { matrix[row * size + column] -= factor * x[column] }
            }
        }
    }
}
