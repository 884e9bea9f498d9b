import Geometry
import LinearAlgebra
import Statistics
import Testing

@Suite("Principal components")
struct PrincipalComponentsTests {
    /// Points with the given standard deviations along the axes, turned by a Householder reflection.
    private func planted(_ deviations: [Double], rows: Int, width: Int) -> Matrix {
        var random = SeededRandom(seed: 11)
        let normal = random.normal(count: rows * deviations.count)
        var axis = random.normal(count: width)
        let norm = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
        axis = axis.map { $0 / norm }
        var points = Matrix(rows: rows, columns: width)
        for row in 0..<rows {
            var x = [Double](repeating: 0, count: width)
            for (index, deviation) in deviations.enumerated() {
                x[index] = normal[row * deviations.count + index] * deviation
            }
            let along = zip(x, axis).reduce(0) { $0 + $1.0 * $1.1 }
            for column in 0..<width { points[row, column] = Float(x[column] - 2 * along * axis[column] + 3) }
        }
        return points
    }

    @Test("find planted variances and directions, with more rows than columns and with fewer", arguments: [2000, 40])
    func plantedVariances(rows: Int) throws {
        let points = planted([10, 3, 1], rows: rows, width: 60)
        let found = try PrincipalComponents(of: points, components: 3)
        #expect(found.dimensions(holding: 0.999999) == 3)
        #expect(found.variances.dropFirst(3).allSatisfy { $0 < 1e-9 * found.variances[0] })
        if rows == 2000 {
            for (variance, exact) in zip(found.variances, [100.0, 9, 1]) {
                #expect(abs(variance / exact - 1) < 0.15)
            }
        }
        // The projection keeps all distances, and its columns have the variances.
        let projected = found.project(points)
        for component in 0..<3 {
            let column = (0..<rows).map { Double(projected[$0, component]) }
            let mean = column.reduce(0, +) / Double(rows)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows - 1)
            #expect(abs(variance / found.variances[component] - 1) < 1e-4)
        }
    }

    @Test("both ways of computing agree")
    func bothWays() throws {
        let points = planted([5, 4, 3, 2], rows: 50, width: 50)
        var wider = Matrix(rows: 50, columns: 51)
        for row in 0..<50 {
            for column in 0..<50 { wider[row, column] = points[row, column] }
        }
        let a = try PrincipalComponents(of: points, components: 4)
        let b = try PrincipalComponents(of: wider, components: 4)
        for index in 0..<4 {
            #expect(abs(a.variances[index] - b.variances[index]) < 1e-9 * a.variances[0])
            let cosine = zip(a.components[index], b.components[index]).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(cosine - 1) < 1e-8)
        }
    }

    @Test("refuse what has no answer")
    func refusals() {
        #expect(throws: GeometryError.tooFewPoints(found: 1, needed: 2)) {
            try PrincipalComponents(of: Matrix(rows: 1, columns: 3), components: 1)
        }
        var bad = Matrix(rows: 3, columns: 2)
        bad[2, 1] = .nan
        #expect(throws: GeometryError.notFinite(row: 2, column: 1)) {
            try PrincipalComponents(of: bad, components: 1)
        }
    }
}
