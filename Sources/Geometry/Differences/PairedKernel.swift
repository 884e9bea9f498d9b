package import LinearAlgebra

/// Inner products of pairs of rows, the first of each pair of one set, the second of another, each set about its own mean:
/// the debiased participation ratio of either set, and of any two sets that pairs make by trading places.
package struct PairedKernel: Sendable {
    package let pairs: Int
    /// [2 pairs, 2 pairs]; the first set's rows, then the second's.
    private let values: [Double]
    /// Σ_j K_ij and Σ_j K_ij² over all rows. [2 pairs] each
    private let sums: [Double]
    private let squares: [Double]

    /// - Parameters:
    ///   - first: [pairs, width], finite; row i is paired with row i of the second.
    ///   - second: [pairs, width].
    /// - Throws: `GeometryError` for too few pairs, widths that differ, and NaN or infinities.
    package init(_ first: Matrix, _ second: Matrix) throws {
        precondition(first.rows == second.rows, "pairs of rows")
        guard first.rows >= 4 else { throw GeometryError.tooFewPoints(found: first.rows, needed: 4) }
        guard first.columns == second.columns else {
            throw GeometryError.widthsDiffer(first.columns, second.columns)
        }
        pairs = first.rows
        let size = 2 * pairs
        var rows: [Double] = []
        rows.reserveCapacity(size * first.columns)
        for set in [first, second] {
            if let bad = set.firstNonFinite { throw GeometryError.notFinite(row: bad.row, column: bad.column) }
            // Offsets from the first row, so that rows that are all the same leave no rounding behind.
            let origin = set.row(0).map(Double.init)
            var mean = [Double](repeating: 0, count: set.columns)
            for row in 0..<set.rows {
                for (column, value) in set.row(row).enumerated() { mean[column] += Double(value) - origin[column] }
            }
            mean = mean.map { $0 / Double(set.rows) }
            for row in 0..<set.rows {
                for (column, value) in set.row(row).enumerated() {
                    rows.append(Double(value) - origin[column] - mean[column])
                }
            }
        }
        let kernel = Gram.rows(rows, rows: size, columns: first.columns)
        values = kernel
        var sums = [Double](repeating: 0, count: size)
        var squares = sums
        for row in 0..<size {
            for column in 0..<size {
                sums[row] += kernel[row * size + column]
                squares[row] += kernel[row * size + column] * kernel[row * size + column]
            }
        }
        self.sums = sums
        self.squares = squares
    }

    /// Dimension of the first set minus that of the second.
    package struct Dimensions: Sendable, Equatable {
        package let first: Double
        package let second: Double
        package var difference: Double { first - second }
    }

    /// The sets when some pairs have traded places.
    ///
    /// - Parameter traded: whether a pair has.
    /// - Throws: `GeometryError` where a set has no dimension.
    package func dimensions(traded: [Bool]) throws -> Dimensions {
        let size = 2 * pairs
        // Σ over the first set's rows of K_ij and of K_ij², for each row i of both: one pass over half the kernel, from which
        // the second set's follow.
        var inner = [Double](repeating: 0, count: size)
        var innerSquares = inner
        let members = (0..<pairs).map { traded[$0] ? pairs + $0 : $0 }
        values.withUnsafeBufferPointer { values in
            inner.withUnsafeMutableBufferPointer { inner in
                innerSquares.withUnsafeMutableBufferPointer { innerSquares in
                    for member in members {
                        let row = values.baseAddress! + member * size
                        for column in 0..<size {
                            inner[column] += row[column]
                            innerSquares[column] += row[column] * row[column]
                        }
                    }
                }
            }
        }
        let others = (0..<pairs).map { traded[$0] ? $0 : pairs + $0 }
        return Dimensions(
            first: try dimension(members, inner, innerSquares),
            second: try dimension(
                others, zip(sums, inner).map { $0 - $1 }, zip(squares, innerSquares).map { $0 - $1 }))
    }

    /// The sets as they are.
    package func dimensions() throws -> Dimensions {
        try dimensions(traded: [Bool](repeating: false, count: pairs))
    }

    /// The sets of some of the pairs.
    package func dimensions(of kept: [Int]) throws -> Dimensions {
        func dimension(_ members: [Int]) throws -> Double {
            let size = 2 * pairs
            var inner = [Double](repeating: 0, count: size)
            var innerSquares = inner
            for row in members {
                for column in members {
                    let value = values[row * size + column]
                    inner[row] += value
                    innerSquares[row] += value * value
                }
            }
            return try self.dimension(members, inner, innerSquares)
        }
        return Dimensions(first: try dimension(kept), second: try dimension(kept.map { pairs + $0 }))
    }

    /// Of a set of rows about their mean: K_ij - r_i/n - r_j/n + t/n², r_i = Σ_j K_ij, t = Σ r_i, so that
    /// T = Σ K_ii - t/n, Q = ΣK² - 2 Σ r²/n + t²/n² and the diagonal K_ii - 2 r_i/n + t/n².
    ///
    /// - Parameters:
    ///   - inner: r_i of its rows, among others.
    ///   - squares: Σ_j K_ij² of its rows, among others.
    private func dimension(_ members: [Int], _ inner: [Double], _ squares: [Double]) throws -> Double {
        let n = Double(members.count)
        var (total, trace, rowSquares, energy) = (0.0, 0.0, 0.0, 0.0)
        for row in members {
            total += inner[row]
            rowSquares += inner[row] * inner[row]
            energy += squares[row]
            trace += values[row * (2 * pairs + 1)]
        }
        var diagonalSquares = 0.0
        for row in members {
            let value = values[row * (2 * pairs + 1)] - 2 * inner[row] / n + total / (n * n)
            diagonalSquares += value * value
        }
        return try DebiasedParticipationRatio(
            trace: trace - total / n, sumOfSquares: energy - 2 * rowSquares / n + total * total / (n * n),
            diagonalSquares: diagonalSquares, count: members.count
        ).dimension()
    }
}
