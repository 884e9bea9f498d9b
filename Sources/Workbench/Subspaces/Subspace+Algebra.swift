import Geometry
package import LinearAlgebra

/// Arithmetic of subspaces (orthonormal sets of directions with the vectors they were made of). A result of two
/// subspaces is at the first one's site if both have the same site, else at none.
extension Subspace {
    /// Adds the vectors of two subspaces one by one: r + s for single directions r and s.
    ///
    /// - Throws: `SubspaceError` for subspaces of different widths or dimensions, and for a sum that is 0.
    package func adding(_ other: Subspace) throws -> Subspace { try combined(other, factor: 1) }

    /// Subtracts the vectors of another subspace one by one: r - s for single directions r and s.
    ///
    /// - Throws: `SubspaceError`, as for `adding`.
    package func subtracting(_ other: Subspace) throws -> Subspace { try combined(other, factor: -1) }

    private func combined(_ other: Subspace, factor: Float) throws -> Subspace {
        try checkWidth(other)
        guard dimension == other.dimension else {
            throw SubspaceError.differentCounts(dimension, other.dimension)
        }
        let values = zip(vectors.values, other.vectors.values).map { $0 + factor * $1 }
        return try made(Matrix(rows: dimension, columns: width, values: values), with: other)
    }

    /// Removes from each vector r of the subspace its components in another one with the basis ŝᵢ: r - Σ ŝᵢ(ŝᵢ'r).
    ///
    /// Vectors of which nothing is left are left out.
    /// - Throws: `SubspaceError.nothingLeft` if that is all of them; `SubspaceError.differentWidths`.
    package func orthogonalised(against other: Subspace) throws -> Subspace {
        try checkWidth(other)
        var kept: [Double] = []
        var basis = other.rows(of: other.basis)
        for vector in rows(of: vectors) {
            let rest = Self.remainder(vector, basis: other.rows(of: other.basis))
            // A remainder in the span of those kept before is not a direction of its own.
            let fresh = Self.remainder(rest, basis: basis)
            let length = Arithmetic.norm(fresh)
            guard length > 1e-6 * Arithmetic.norm(vector) else { continue }
            basis.append(fresh.map { $0 / length })
            kept += rest
        }
        guard !kept.isEmpty else { throw SubspaceError.nothingLeft }
        var result = try Subspace(
            vectors: Matrix(rows: kept.count / width, columns: width, values: kept.map(Float.init)), site: site,
            position: position, recipe: recipe)
        result.negativeMean = negativeMean
        return result
    }

    /// Returns the subspace that several subspaces span together; vectors in the span of those before them are left
    /// out.
    ///
    /// - Throws: `SubspaceError` for subspaces of different widths.
    package static func join(_ parts: [Subspace]) throws -> Subspace {
        precondition(!parts.isEmpty, "no subspaces to join")
        var kept: [Float] = []
        var basis: [[Double]] = []
        for part in parts {
            try parts[0].checkWidth(part)
            for vector in part.rows(of: part.vectors) {
                let rest = remainder(vector, basis: basis)
                let length = Arithmetic.norm(rest)
                guard length > 1e-6 * Arithmetic.norm(vector) else { continue }
                basis.append(rest.map { $0 / length })
                kept += vector.map(Float.init)
            }
        }
        let width = parts[0].width
        guard kept.count / width <= width else {
            throw SubspaceError.tooMany(vectors: kept.count / width, width: width)
        }
        let (site, position) = parts.dropFirst().reduce((parts[0].site, parts[0].position)) { place, part in
            (part.site == place.0 ? place.0 : nil, part.position == place.1 ? place.1 : nil)
        }
        return try Subspace(
            vectors: Matrix(rows: kept.count / width, columns: width, values: kept), site: site, position: position)
    }

    /// Returns the coordinates of points along the subspace's basis, [points, dimension].
    ///
    /// - Parameter points: the points, one in each row, [points, width].
    /// - Throws: `SubspaceError` for another width, and for NaN or infinity.
    package func coordinates(of points: Matrix) throws -> Matrix {
        guard points.columns == width else { throw SubspaceError.differentWidths(points.columns, width) }
        if let bad = points.firstNonFinite { throw SubspaceError.notFiniteRow("capture", row: bad.row) }
        let basis = rows(of: basis)
        var result = Matrix(rows: points.rows, columns: dimension)
        for row in 0..<points.rows {
            let point = points.row(row).map(Double.init)
            for (index, direction) in basis.enumerated() {
                result[row, index] = Float(Arithmetic.dot(point, 0, direction))
            }
        }
        return result
    }

    /// Returns the part of a vector, [width], that lies in the subspace, [width].
    package func projection(of vector: some Collection<Float>) -> [Float] {
        precondition(vector.count == width, "a vector of \(vector.count) on directions of width \(width)")
        let vector = vector.map(Double.init)
        var result = [Double](repeating: 0, count: width)
        for direction in rows(of: basis) {
            Arithmetic.add(direction, 0, times: Arithmetic.dot(direction, 0, vector), to: &result)
        }
        return result.map(Float.init)
    }

    /// Returns the cosines of the principal angles between two subspaces of dimensions k and l, largest first, [min(k,
    /// l)]: the singular values of A B' for their bases A and B. (Björck and Golub 1973.)
    ///
    /// For two directions the one number is the absolute cosine.
    /// - Throws: `SubspaceError` for different widths.
    package func cosines(to other: Subspace) throws -> [Double] {
        try checkWidth(other)
        // The bases are f32, and near a cosine of 1 the angle's error is the square root of the rounding error.
        return try PrincipalAngles(
            between: Self.orthonormalRows(vectors).flatMap(\.self),
            and: Self.orthonormalRows(other.vectors).flatMap(\.self), width: width
        ).cosines
    }

    /// Returns the cosine between the first vector of this subspace and the first of another, with its sign.
    package func cosine(to other: Subspace) throws -> Double {
        try checkWidth(other)
        let (a, b) = (rows(of: vectors)[0], other.rows(of: other.vectors)[0])
        return Arithmetic.dot(a, 0, b) / (Arithmetic.norm(a) * Arithmetic.norm(b))
    }

    private func made(_ vectors: Matrix, with other: Subspace) throws -> Subspace {
        try Subspace(
            vectors: vectors, site: site == other.site ? site : nil,
            position: position == other.position ? position : nil)
    }

    private func checkWidth(_ other: Subspace) throws {
        guard width == other.width else { throw SubspaceError.differentWidths(width, other.width) }
    }

    private func rows(of matrix: Matrix) -> [[Double]] {
        (0..<matrix.rows).map { matrix.row($0).map(Double.init) }
    }

    /// Returns the part of a vector, [width], that is orthogonal to the subspace, [width].
    ///
    /// - Throws: `SubspaceError` for another width.
    package func outside(_ vector: [Double]) throws -> [Double] {
        guard vector.count == width else { throw SubspaceError.differentWidths(width, vector.count) }
        return Self.remainder(vector, basis: rows(of: basis))
    }

    /// Returns what is left of a vector without its components along an orthonormal basis, which are subtracted twice
    /// because of rounding.
    private static func remainder(_ vector: [Double], basis: [[Double]]) -> [Double] {
        var rest = vector
        for _ in 0..<2 {
            for unit in basis { Arithmetic.add(unit, 0, times: -Arithmetic.dot(rest, 0, unit), to: &rest) }
        }
        return rest
    }
}
