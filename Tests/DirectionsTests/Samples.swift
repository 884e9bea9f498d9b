import Directions
import LinearAlgebra
import Statistics

/// Noise whose covariance is a power law turned out of the axes: variances 1, 1/2, 1/3, ... along random directions.
struct RotatedPowerLaw {
    let width: Int
    private let deviations: [Float]
    /// Householder reflections, whose product is the rotation.
    private let mirrors: [[Float]]

    init(width: Int, random: inout SeededRandom) {
        self.width = width
        deviations = (0..<width).map { 1 / Float($0 + 1).squareRoot() }
        mirrors = (0..<12).map { _ in Self.unit(width, &random) }
    }

    static func unit(_ width: Int, _ random: inout SeededRandom) -> [Float] {
        let vector = random.normal(count: width)
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { Float($0 / norm) }
    }

    /// [rows, width]
    func sample(_ rows: Int, _ random: inout SeededRandom) -> Matrix {
        var values: [Float] = []
        values.reserveCapacity(rows * width)
        for _ in 0..<rows {
            var row = zip(random.normal(count: width), deviations).map { Float($0) * $1 }
            for mirror in mirrors {
                let product = zip(row, mirror).reduce(0) { $0 + $1.0 * $1.1 }
                for column in 0..<width { row[column] -= 2 * product * mirror[column] }
            }
            values += row
        }
        return Matrix(rows: rows, columns: width, values: values)
    }
}

/// Independent normal numbers. [rows, columns]
func normal(_ rows: Int, _ columns: Int, _ random: inout SeededRandom) -> Matrix {
    Matrix(rows: rows, columns: columns, values: random.normal(count: rows * columns).map(Float.init))
}

extension Matrix {
    /// Every row plus a vector.
    func shifted(by vector: [Float], times factor: Float = 1) -> Matrix {
        var result = self
        for row in 0..<rows {
            for column in 0..<columns { result[row, column] += factor * vector[column] }
        }
        return result
    }
}

func cosine(_ a: [Double], _ b: [Double]) -> Double {
    func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
}
