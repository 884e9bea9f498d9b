package import LinearAlgebra

/// Points about their mean, in float64, in units of a power of two near their largest coordinate, so that no product of
/// four overflows. Similarities don't depend on the unit.
package struct CentredRows: Sendable, Equatable {
    package let count: Int
    package let width: Int
    /// [count, width]
    package let values: [Double]

    /// - Parameter points: [N, D], N >= 2; repeated rows are kept, since rows are paired with those of another set.
    /// - Throws: `GeometryError` for too few points, no coordinates, NaN and Inf, and if all points are the same.
    package init(_ points: Matrix) throws {
        guard points.columns > 0 else { throw GeometryError.noCoordinates }
        if let bad = points.firstNonFinite { throw GeometryError.notFinite(row: bad.row, column: bad.column) }
        try self.init(points.values.map(Double.init), count: points.rows, width: points.columns)
    }

    private init(_ uncentred: [Double], count: Int, width: Int) throws {
        guard count >= 2 else { throw GeometryError.tooFewPoints(found: count, needed: 2) }
        var values = uncentred
        var largest = 0.0
        values.withUnsafeMutableBufferPointer { values in
            var means = [Double](repeating: 0, count: width)
            for row in 0..<count {
                for column in 0..<width { means[column] += values[row * width + column] }
            }
            for column in 0..<width { means[column] /= Double(count) }
            for row in 0..<count {
                for column in 0..<width {
                    let centred = values[row * width + column] - means[column]
                    values[row * width + column] = centred
                    largest = max(largest, abs(centred))
                }
            }
            guard largest > 0 else { return }
            let unit = Double(sign: .plus, exponent: -Int(largest.exponent), significand: 1)
            for place in values.indices { values[place] *= unit }
        }
        guard largest > 0 else { throw GeometryError.allTheSame(rows: count) }
        self.count = count
        self.width = width
        self.values = values
    }

    /// Some of the rows about their own mean.
    ///
    /// - Throws: `GeometryError` if fewer than two are given, or all are the same.
    package func selecting(_ rows: [Int]) throws -> CentredRows {
        var kept: [Double] = []
        kept.reserveCapacity(rows.count * width)
        for row in rows { kept += values[row * width..<(row + 1) * width] }
        return try CentredRows(kept, count: rows.count, width: width)
    }

    /// The rows without the coordinates of largest variance (Timkey and van Schijndel's 2021 rogue dimensions).
    ///
    /// - Returns: nil if no coordinate, or no variance, would be left.
    package func withoutRogue(_ number: Int) -> CentredRows? {
        guard width > number else { return nil }
        var squares = [Double](repeating: 0, count: width)
        for row in 0..<count {
            for column in 0..<width { squares[column] += values[row * width + column] * values[row * width + column] }
        }
        let dropped = Set(squares.indices.sorted { (squares[$0], $1) > (squares[$1], $0) }.prefix(number))
        let kept = (0..<width).filter { !dropped.contains($0) }
        return try? CentredRows(
            (0..<count).flatMap { row in kept.map { values[row * width + $0] } }, count: count, width: kept.count)
    }

    /// Σ x², the squared Frobenius norm.
    package var squaredNorm: Double { values.reduce(0) { $0 + $1 * $1 } }

    /// The same points in coordinates of their own, at most as many as there are points: distances and products are
    /// those of the rows, to rounding.
    ///
    /// - Throws: `LinearAlgebraError` from LAPACK.
    package func compact() throws -> CentredRows {
        guard count < width else { return self }
        let eigen = try SymmetricEigen(of: Gram.rows(values, rows: count, columns: width), size: count)
        // X = U S V': row i of U S.
        var coordinates = [Double](repeating: 0, count: count * count)
        for (index, value) in eigen.values.enumerated() {
            let length = max(0, value).squareRoot()
            for row in 0..<count { coordinates[row * count + index] = length * eigen.vectors[index * count + row] }
        }
        return try CentredRows(coordinates, count: count, width: count)
    }
}
