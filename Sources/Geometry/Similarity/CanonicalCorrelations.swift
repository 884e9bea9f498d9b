import LinearAlgebra

/// Canonical correlations of two sets of paired points after 99 % of the variance of each is kept: SVCCA, their mean
/// (Raghu, Gilmer, Yosinski and Sohl-Dickstein 2017, NeurIPS), and PWCCA, weighted by how much of the first set's
/// coordinates each direction accounts for (Morcos, Raghu and Bengio 2018, NeurIPS).
package struct CanonicalCorrelations: Sendable {
    /// Dimensions kept of each set.
    package let dimensions: (x: Int, y: Int)
    /// Largest first; as many as the smaller set has dimensions.
    package let correlations: [Double]
    /// Their mean.
    package let svcca: Double
    /// Σ a_i rho_i / Σ a_i, a_i = Σ_j |h_i'x_j| over the coordinates x_j, h_i the canonical variates, of the set with fewer
    /// dimensions, the first of equals.
    package let pwcca: Double
    private let first: Basis
    private let second: Basis

    /// Share of the variance that is kept.
    package static let share = 0.99

    /// The principal coordinates of a set, each with length 1.
    private struct Basis: Sendable {
        let count: Int
        let size: Int
        /// [count, size]
        let values: [Double]

        init(_ rows: CentredRows) throws {
            let (n, d) = (rows.count, rows.width)
            let isWide = n < d
            let gram =
                isWide
                ? Gram.rows(rows.values, rows: n, columns: d) : Gram.columns(rows.values, rows: n, columns: d)
            let side = min(n, d)
            let eigen = try SymmetricEigen(of: gram, size: side)
            let total = eigen.values.reduce(0) { $0 + max(0, $1) }
            var (kept, sum) = (0, 0.0)
            while kept < side, sum < share * total {
                sum += eigen.values[kept]
                kept += 1
            }
            var vectors = [Double](repeating: 0, count: n * kept)
            // X V / sigma, or the eigenvectors of XX' as they are.
            let directions = Array(eigen.vectors.prefix(kept * side))
            if isWide {
                for index in 0..<kept {
                    for row in 0..<n { vectors[row * kept + index] = directions[index * n + row] }
                }
            } else {
                for row in 0..<n {
                    for index in 0..<kept {
                        var product = 0.0
                        for column in 0..<d {
                            product += rows.values[row * d + column] * directions[index * d + column]
                        }
                        vectors[row * kept + index] = product / eigen.values[index].squareRoot()
                    }
                }
            }
            (count, size, values) = (n, kept, vectors)
        }

        func reordered(_ order: [Int]) -> [Double] { order.flatMap { values[$0 * size..<($0 + 1) * size] } }
    }

    /// - Throws: `GeometryError` for sets of different sizes and for fewer than five points a dimension;
    ///   `LinearAlgebraError` from LAPACK.
    package init(_ x: CentredRows, _ y: CentredRows) throws {
        guard x.count == y.count else { throw GeometryError.rowsDiffer(x.count, y.count) }
        first = try Basis(x)
        second = x == y ? first : try Basis(y)
        dimensions = (first.size, second.size)
        let most = max(first.size, second.size)
        guard x.count >= 5 * most else {
            throw GeometryError.tooFewForCorrelation(points: x.count, dimensions: most)
        }
        guard x != y else {
            // What rounding would leave of it is not to be read as a difference.
            correlations = Array(repeating: 1, count: first.size)
            (svcca, pwcca) = (1, 1)
            return
        }
        // The set with fewer dimensions is the one whose variates carry the weights.
        let isSwapped = second.size < first.size
        let (a, b, rows) = isSwapped ? (second, first, y) : (first, second, x)
        let product = Gram.cross(b.values, columns: b.size, a.values, columns: a.size, rows: a.count)
        let decomposition = try SingularValues(of: product, rows: b.size, columns: a.size, vectors: true)
        correlations = decomposition.values.map { min(1, $0) }
        svcca = correlations.reduce(0, +) / Double(correlations.count)
        // h_i'x_j = w_i' (U'X)_j, w_i the coordinates of the variate.
        let parts = Gram.cross(a.values, columns: a.size, rows.values, columns: rows.width, rows: rows.count)
        var (weighted, total) = (0.0, 0.0)
        for (index, correlation) in correlations.enumerated() {
            let variate = decomposition.rightVectors[index * a.size..<(index + 1) * a.size]
            var along = [Double](repeating: 0, count: rows.width)
            for (place, weight) in variate.enumerated() {
                for column in 0..<rows.width { along[column] += weight * parts[place * rows.width + column] }
            }
            let weight = along.reduce(0) { $0 + abs($1) }
            weighted += weight * correlation
            total += weight
        }
        pwcca = weighted / total
    }

    /// SVCCA with the second set's points in another order: what unrelated rows give.
    ///
    /// - Throws: `LinearAlgebraError` from LAPACK.
    package func svcca(order: [Int]) throws -> Double {
        let product = Gram.cross(
            first.values, columns: first.size, second.reordered(order), columns: second.size, rows: first.count)
        let values = try SingularValues(of: product, rows: first.size, columns: second.size).values
        return values.reduce(0) { $0 + min(1, $1) } / Double(values.count)
    }
}
