package import LinearAlgebra
package import Statistics
package import Workbench

/// Draws random directions for comparison with those that were found: they show what removing or adding an arbitrary
/// direction does.
package struct DirectionSampler: Sendable {
    /// The distribution that random directions are drawn from.
    private enum Source {
        /// The normal distribution N(0, C), where C is the covariance of these rows, [rows, width], centred group by
        /// group.
        case covariance(Matrix)
        /// The standard normal distribution N(0, I) of vectors of this width, with equal chances for every direction.
        case isotropic(Int)

        var width: Int {
            switch self {
            case .covariance(let centred): centred.columns
            case .isotropic(let width): width
            }
        }

        /// Draws one random vector from the distribution, [width].
        func draw(_ random: inout SeededRandom) -> [Double] {
            switch self {
            case .isotropic(let width): return random.normal(count: width)
            case .covariance(let centred):
                let weights = random.normal(count: centred.rows)
                var sum = [Double](repeating: 0, count: centred.columns)
                for (row, weight) in weights.enumerated() {
                    for (column, value) in centred.row(row).enumerated() { sum[column] += weight * Double(value) }
                }
                return sum
            }
        }
    }

    private let source: Source

    private init(_ source: Source) { self.source = source }

    /// Makes a sampler of directions from N(0, C), so that directions of larger variance are more likely. C is the
    /// covariance within groups of rows, so that what distinguishes the groups, which is what was looked for, is not
    /// part of it.
    ///
    /// - Parameter groups: matrices of rows, [rows, width] each, of one width; one of them has at least two different
    ///   rows.
    /// - Throws: `SubspaceError.zero` if all rows of each group are the same.
    package init(covarianceWithin groups: [Matrix]) throws {
        precondition(!groups.isEmpty, "at least one group")
        let width = groups[0].columns
        var values: [Float] = []
        for rows in groups {
            precondition(rows.columns == width, "groups of one width")
            let means = rows.columnMeans
            for row in 0..<rows.rows { values += zip(rows.row(row), means).map { Float(Double($0) - $1) } }
        }
        guard values.contains(where: { $0 != 0 }) else { throw SubspaceError.zero(vector: 0) }
        self.init(.covariance(Matrix(rows: values.count / width, columns: width, values: values)))
    }

    /// Makes a sampler that draws every direction of a width with equal probability.
    package static func isotropic(width: Int) -> Self { Self(.isotropic(width)) }

    /// Draws independent random directions, orthogonal to `excluded`, and makes them orthogonal to one another in turn.
    ///
    /// - Parameters:
    ///   - dimension: the number of directions; at most the rank of the distribution.
    ///   - lengths: the lengths of the vectors, [dimension]; ones when nil.
    ///   - excluded: a subspace that is taken out of each draw: a control that shares something with the directions it
    ///     is compared with says too little about either.
    /// - Throws: `SubspaceError` if the distribution has too few directions.
    package func subspace(
        _ dimension: Int, lengths: [Double]? = nil, outside excluded: Subspace? = nil, random: inout SeededRandom
    ) throws -> Subspace {
        guard dimension + (excluded?.dimension ?? 0) <= source.width else { throw SubspaceError.zero(vector: 0) }
        var vectors = Matrix(rows: dimension, columns: source.width)
        for index in 0..<dimension {
            var sum = source.draw(&random)
            let whole = Arithmetic.norm(sum)
            if let excluded { sum = try excluded.outside(sum) }
            let length = Arithmetic.norm(sum)
            // If a draw lay inside the excluded subspace, only rounding is left of it.
            guard length > 1e-6 * whole else { throw SubspaceError.zero(vector: index) }
            let scale = (lengths?[index] ?? 1) / length
            for column in sum.indices { vectors[index, column] = Float(sum[column] * scale) }
        }
        return try Subspace(vectors: vectors)
    }
}
