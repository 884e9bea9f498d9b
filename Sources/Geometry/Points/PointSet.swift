package import LinearAlgebra

/// Points ready to be measured: every value finite, exact repetitions dropped.
package struct PointSet: Sendable {
    /// [N, D], as given; nothing is centred or scaled.
    package let points: Matrix
    /// Where each point stood among the rows that were given.
    package let rows: [Int32]
    /// Rows that repeated an earlier one exactly.
    package let duplicates: Int
    /// [D]
    package let mean: [Double]
    /// [D]: of each coordinate, with divisor N - 1.
    package let variances: [Double]

    package var count: Int { points.rows }
    package var width: Int { points.columns }

    /// - Parameter matrix: [N, D]; -0 and 0 are equal.
    /// - Throws: `GeometryError` for NaN and Inf, for fewer than two distinct points, and for a width of 0.
    package init(_ matrix: Matrix) throws {
        guard matrix.columns > 0 else { throw GeometryError.noCoordinates }
        if let bad = matrix.firstNonFinite { throw GeometryError.notFinite(row: bad.row, column: bad.column) }
        let kept = Self.distinct(matrix)
        guard kept.count >= 2 else {
            throw matrix.rows < 2
                ? GeometryError.tooFewPoints(found: matrix.rows, needed: 2)
                : GeometryError.allTheSame(rows: matrix.rows)
        }
        rows = kept
        duplicates = matrix.rows - kept.count
        points = duplicates == 0 ? matrix : matrix.selecting(kept)
        (mean, variances) = Self.moments(points)
    }

    private init(points: Matrix, rows: [Int32], duplicates: Int) {
        self.points = points
        self.rows = rows
        self.duplicates = duplicates
        (mean, variances) = Self.moments(points)
    }

    /// Some of the points, by their places in this set.
    package func subset(_ places: [Int32]) -> PointSet {
        PointSet(points: points.selecting(places), rows: places.map { rows[Int($0)] }, duplicates: duplicates)
    }

    /// The coordinates of largest variance, largest first: Timkey and van Schijndel's (2021) rogue dimensions.
    package func rogueCoordinates(_ count: Int) -> [Int] {
        Array(variances.indices.sorted { (variances[$0], $1) > (variances[$1], $0) }.prefix(count))
    }

    /// The points without some coordinates.
    ///
    /// - Throws: `GeometryError` if too few coordinates or distinct points are left.
    package func without(coordinates dropped: [Int]) throws -> PointSet {
        let gone = Set(dropped)
        let rest = try PointSet(points.selecting(columns: (0..<width).filter { !gone.contains($0) }))
        return PointSet(points: rest.points, rows: rest.rows, duplicates: duplicates + rest.duplicates)
    }

    /// Share of the total variance that some coordinates hold.
    package func varianceShare(of coordinates: [Int]) -> Double {
        let total = variances.reduce(0, +)
        return total > 0 ? coordinates.reduce(0) { $0 + variances[$1] } / total : 0
    }

    /// The first of each group of equal rows, ascending.
    private static func distinct(_ matrix: Matrix) -> [Int32] {
        let (n, d) = (matrix.rows, matrix.columns)
        return matrix.values.withUnsafeBufferPointer { values in
            func equal(_ a: Int, _ b: Int) -> Bool {
                for column in 0..<d where values[a * d + column] != values[b * d + column] { return false }
                return true
            }
            var seen: [UInt64: [Int32]] = [:]
            seen.reserveCapacity(n)
            var kept: [Int32] = []
            kept.reserveCapacity(n)
            for row in 0..<n {
                var hash: UInt64 = 0xCBF2_9CE4_8422_2325
                for column in 0..<d {
                    // Adding 0 makes -0 into 0.
                    hash = (hash ^ UInt64((values[row * d + column] + 0).bitPattern)) &* 0x0000_0100_0000_01B3
                    hash ^= hash >> 29
                }
                let alike = seen[hash, default: []]
                if alike.contains(where: { equal(Int($0), row) }) { continue }
                seen[hash] = alike + [Int32(row)]
                kept.append(Int32(row))
            }
            return kept
        }
    }

    private static func moments(_ points: Matrix) -> (mean: [Double], variances: [Double]) {
        let (n, d) = (points.rows, points.columns)
        return points.values.withUnsafeBufferPointer { values in
            var mean = [Double](repeating: 0, count: d)
            for row in 0..<n {
                for column in 0..<d { mean[column] += Double(values[row * d + column]) }
            }
            for column in 0..<d { mean[column] /= Double(n) }
            var variances = [Double](repeating: 0, count: d)
            for row in 0..<n {
                for column in 0..<d {
                    let difference = Double(values[row * d + column]) - mean[column]
                    variances[column] += difference * difference
                }
            }
            for column in 0..<d { variances[column] /= Double(max(1, n - 1)) }
            return (mean, variances)
        }
    }
}

extension Matrix {
    /// The same points in units in which no squared distance overflows or vanishes in f32: all values times one power of
    /// two, where they are beyond 10^±12; estimators of dimension see no difference.
    package var rescaled: Matrix {
        var largest: Float = 0
        for value in values where value.isFinite { largest = max(largest, abs(value)) }
        guard largest > 0, largest > 1e12 || largest < 1e-12 else { return self }
        // In two steps: the factor of a denormal is no f32.
        let exponent = -Int(largest.exponent)
        let first = Float(sign: .plus, exponent: exponent / 2, significand: 1)
        let second = Float(sign: .plus, exponent: exponent - exponent / 2, significand: 1)
        var result = self
        for place in result.values.indices { result.values[place] = result.values[place] * first * second }
        return result
    }

    /// Some of the rows, in the order given.
    package func selecting(_ rows: [Int32]) -> Matrix {
        var kept: [Float] = []
        kept.reserveCapacity(rows.count * columns)
        for row in rows { kept += values[Int(row) * columns..<(Int(row) + 1) * columns] }
        return Matrix(rows: rows.count, columns: columns, values: kept)
    }

    /// Some of the columns, in the order given.
    package func selecting(columns kept: some Collection<Int>) -> Matrix {
        var rest: [Float] = []
        rest.reserveCapacity(rows * kept.count)
        for row in 0..<rows {
            for column in kept { rest.append(values[row * columns + column]) }
        }
        return Matrix(rows: rows, columns: kept.count, values: rest)
    }
}
