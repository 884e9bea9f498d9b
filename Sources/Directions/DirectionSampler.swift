package import LinearAlgebra
package import Statistics
package import Workbench

/// Random directions to stand beside those that were found: what removing or adding "some direction or other" does.
package struct DirectionSampler: Sendable {
    /// What directions are drawn from.
    private enum Source {
        /// N(0, C), C the covariance of these rows, centred group by group. [rows, width]
        case covariance(Matrix)
        /// N(0, I) of this width.
        case isotropic(Int)

        var width: Int {
            switch self {
            case .covariance(let centred): centred.columns
            case .isotropic(let width): width
            }
        }

        /// [width]
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

    /// Directions of much variance are as likely as they are large. The covariance is that within groups of rows, so that
    /// what tells the groups apart, which is what was looked for, is no part of it.
    ///
    /// - Parameter groups: [rows, width] each, of one width; in one of them at least two rows that differ.
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

    /// Every direction is as likely as another.
    package static func isotropic(width: Int) -> Self { Self(.isotropic(width)) }

    /// Independent draws, made orthonormal one after another, outside of a subspace.
    ///
    /// - Parameters:
    ///   - dimension: how many; at most the rank of what they are drawn from.
    ///   - lengths: of the vectors; ones when nil. [dimension]
    ///   - excluded: what is taken out of each draw: a control that shares something with what it stands beside says too
    ///     little of either.
    /// - Throws: `DirectionsError` if there are too few directions.
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
            // What is left of a draw that lay inside is rounding.
            guard length > 1e-6 * whole else { throw SubspaceError.zero(vector: index) }
            let scale = (lengths?[index] ?? 1) / length
            for column in sum.indices { vectors[index, column] = Float(sum[column] * scale) }
        }
        return try Subspace(vectors: vectors)
    }
}
