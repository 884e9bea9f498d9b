package import LinearAlgebra
package import Statistics

/// Points of a known dimension, to calibrate with and to test against.
package enum PlantedSample: String, CaseIterable, Sendable {
    /// Independent standard normal coordinates.
    case gaussian
    /// Uniform on the unit sphere of d + 1 coordinates.
    case sphere

    /// - Parameters:
    ///   - dimension: d, at least 1.
    ///   - count: points.
    /// - Returns: [count, d], or [count, d + 1] of a sphere. A rigid embedding in more coordinates changes no distance.
    package func points(dimension: Int, count: Int, random: inout SeededRandom) -> Matrix {
        switch self {
        case .gaussian:
            return Matrix.normal(rows: count, columns: dimension, random: &random)
        case .sphere:
            var result = Matrix.normal(rows: count, columns: dimension + 1, random: &random)
            let width = dimension + 1
            for row in 0..<count {
                var squares = 0.0
                for column in 0..<width {
                    squares += Double(result.values[row * width + column]) * Double(result.values[row * width + column])
                }
                let scale = Float(1 / max(squares, .leastNormalMagnitude).squareRoot())
                for column in 0..<width { result.values[row * width + column] *= scale }
            }
            return result
        }
    }
}

extension Matrix {
    /// Independent standard normal entries.
    package static func normal(rows: Int, columns: Int, random: inout SeededRandom) -> Matrix {
        Matrix(rows: rows, columns: columns, values: random.normal(count: rows * columns).map { Float($0) })
    }
}
