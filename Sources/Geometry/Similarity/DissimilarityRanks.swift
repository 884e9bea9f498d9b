package import LinearAlgebra
import Statistics

/// How far each pair of a set's points lies apart, by correlation distance: what representational similarity analysis
/// compares (Kriegeskorte, Mur and Bandettini 2008, Frontiers in Systems Neuroscience 2, 4).
package struct DissimilarityRanks: Sendable {
    package let count: Int
    /// 1 - r of points i and j, r over the coordinates; [count, count], rounded to 2^-40, so that what is the same to
    /// rounding is tied.
    private let distances: [Double]
    /// [count (count - 1) / 2]: ranks of the upper triangle, row by row.
    private let ranks: [Double]

    /// - Parameter points: [N, D], N >= 3, as they are: nothing is taken off a coordinate.
    /// - Throws: `GeometryError` for NaN and Inf, and for a row with the same value in every coordinate.
    package init(_ points: Matrix) throws {
        let (n, d) = (points.rows, points.columns)
        guard n >= 3 else { throw GeometryError.tooFewPoints(found: n, needed: 3) }
        guard d > 0 else { throw GeometryError.noCoordinates }
        if let bad = points.firstNonFinite { throw GeometryError.notFinite(row: bad.row, column: bad.column) }
        var rows = points.values.map(Double.init)
        for row in 0..<n {
            let range = row * d..<(row + 1) * d
            let mean = rows[range].reduce(0, +) / Double(d)
            var (square, largest) = (0.0, 0.0)
            for place in range {
                largest = max(largest, abs(rows[place]))
                rows[place] -= mean
                square += rows[place] * rows[place]
            }
            // What rounding leaves of a constant row is no direction.
            guard square > 1e-24 * Double(d) * largest * largest, square > 0 else {
                throw GeometryError.constantRow(row)
            }
            let scale = 1 / square.squareRoot()
            for place in range { rows[place] *= scale }
        }
        let products = Gram.rows(rows, rows: n, columns: d)
        count = n
        distances = products.map { ((1 - $0) * 0x1p40).rounded() * 0x1p-40 }
        ranks = RankCorrelation.ranks(Self.upper(distances, count: n, rows: Array(0..<n)))
    }

    private static func upper(_ matrix: [Double], count: Int, rows: [Int]) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(rows.count * (rows.count - 1) / 2)
        for (place, i) in rows.enumerated() {
            for j in rows[(place + 1)...] { result.append(matrix[i * count + j]) }
        }
        return result
    }

    /// Spearman's correlation of both sets' distances: 1 for points whose pairs are in the same order of distance.
    ///
    /// - Throws: `GeometryError` for sets of different sizes, and if all distances of one are equal.
    package func similarity(to other: DissimilarityRanks) throws -> Double {
        guard count == other.count else { throw GeometryError.rowsDiffer(count, other.count) }
        return try Self.checked(RankCorrelation.correlation(ofRanks: ranks, other.ranks), count)
    }

    /// The same for some of the points.
    package func similarity(to other: DissimilarityRanks, rows: [Int]) throws -> Double {
        let sides = [distances, other.distances].map {
            RankCorrelation.ranks(Self.upper($0, count: count, rows: rows))
        }
        return try Self.checked(RankCorrelation.correlation(ofRanks: sides[0], sides[1]), rows.count)
    }

    /// The same with the other set's points in another order: what unrelated rows give.
    package func similarity(to other: DissimilarityRanks, order: [Int]) throws -> Double {
        var moved: [Double] = []
        moved.reserveCapacity(ranks.count)
        for i in 0..<count {
            for j in i + 1..<max(i + 1, count) {
                let (a, b) = (min(order[i], order[j]), max(order[i], order[j]))
                moved.append(other.ranks[a * (2 * count - a - 1) / 2 + b - a - 1])
            }
        }
        return try Self.checked(RankCorrelation.correlation(ofRanks: ranks, moved), count)
    }

    private static func checked(_ value: Double?, _ count: Int) throws -> Double {
        guard let value else { throw GeometryError.equalDistances(near: 1, far: count - 1) }
        return value
    }
}
