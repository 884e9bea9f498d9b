import Geometry
import LinearAlgebra
import Statistics
import Testing

@Suite("Few rows do not make the number: weights of rows")
struct RowWeightsTests {
    private func gaussian(_ rows: Int, _ width: Int, seed: Int) -> Matrix {
        var random = SeededRandom(seed: UInt64(seed))
        return Matrix(rows: rows, columns: width, values: random.normal(count: rows * width).map(Float.init))
    }

    @Test("1,000 random Gaussian sets have no outlier row")
    func gaussianSets() throws {
        for seed in 0..<1000 {
            let (rows, width) = (8 + 7 * seed % 57, 1 + seed % 48)
            let found = try #require(RowWeights(gaussian(rows, width, seed: seed)))
            #expect(found.outliers == 0 && found.count == rows && found.largestRatio < RowWeights.outlierRatio)
            // Of many rows of many coordinates none holds much more than its part.
            if rows >= 20, width >= 16 { #expect(!found.isCarriedByOne, "\(rows) rows of width \(width)") }
        }
    }

    @Test("a planted long row is counted, with its ratio to the median and its share")
    func planted() throws {
        var rows = gaussian(40, 6, seed: 1)
        let before = try #require(RowWeights(rows))
        #expect(before.outliers == 0 && !before.isCarriedByOne)
        for column in 0..<6 { rows[17, column] *= 100 }
        let found = try #require(RowWeights(rows))
        let norms = (0..<40).map { row in
            rows.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        let median = try #require(Quantiles(norms))[0.5]
        #expect(found.outliers == 1 && abs(found.largestRatio - norms[17] / median) < 1e-9)
        let means = rows.columnMeans
        let squares = (0..<40).map { row in
            zip(rows.row(row), means).reduce(0.0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
        }
        #expect(abs(found.largestShare - squares[17] / squares.reduce(0, +)) < 1e-12 && found.isCarriedByOne)
        #expect(RowWeights(rows.values.map(Double.init), width: 6) == found)
    }

    @Test("a shift of all rows makes no share, and one row far from the others does without being long")
    func shifted() throws {
        var rows = gaussian(40, 6, seed: 2)
        for row in 0..<40 { rows[row, 0] += 1000 }
        #expect(try #require(RowWeights(rows)).isCarriedByOne == false)
        rows[3, 1] += 100
        let found = try #require(RowWeights(rows))
        #expect(found.outliers == 0 && found.isCarriedByOne)
    }

    @Test("few rows, no coordinates, NaN and infinity are not judged; equal rows and rows of 0 are no outliers")
    func nothing() throws {
        #expect(RowWeights(gaussian(RowWeights.fewest - 1, 3, seed: 0)) == nil)
        #expect(RowWeights(gaussian(RowWeights.fewest, 3, seed: 0)) != nil)
        #expect(RowWeights(Matrix(rows: 9, columns: 0)) == nil && RowWeights([], width: 0) == nil)
        for value in [Float.nan, .infinity] {
            var rows = gaussian(9, 3, seed: 0)
            rows[4, 1] = value
            #expect(RowWeights(rows) == nil)
        }
        let zero = try #require(RowWeights(Matrix(rows: 9, columns: 3)))
        #expect(zero.outliers == 0 && zero.largestRatio == 0 && zero.largestShare == 0)
        var one = Matrix(rows: 9, columns: 3)
        one[0, 0] = 5
        let found = try #require(RowWeights(one))
        #expect(found.outliers == 0 && found.isCarriedByOne)
        let large = Matrix(rows: 9, columns: 1, values: [Float](repeating: .greatestFiniteMagnitude, count: 9))
        #expect(try #require(RowWeights(large)).outliers == 0)
    }

    @Test("the first of a text's rows is an outlier beside the median of the others, or it is none")
    func firstRow() {
        #expect(RowWeights.medianBeside(outlierFirst: [22_664, 170, 173, 180]) == 173)
        #expect(RowWeights.medianBeside(outlierFirst: [1730, 170, 173, 180]) == nil)
        #expect(RowWeights.medianBeside(outlierFirst: [170, 22_664, 173, 180]) == nil)
        #expect(RowWeights.medianBeside(outlierFirst: [.nan, 1, 1]) == nil)
        #expect(RowWeights.medianBeside(outlierFirst: [5, 0, 0]) == nil)
        #expect(RowWeights.medianBeside(outlierFirst: [5]) == nil && RowWeights.medianBeside(outlierFirst: []) == nil)
    }
}
