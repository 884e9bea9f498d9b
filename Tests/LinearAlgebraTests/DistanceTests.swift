import LinearAlgebra
import Statistics
import Testing

@Suite struct DistanceTests {
    @Test(arguments: [1, 15, 16, 17, 255, 256, 257, 1000])
    func squaredDistances(width: Int) {
        var random = SeededRandom(seed: UInt64(width))
        let matrix = Matrix(rows: 3, columns: width, values: random.normal(count: 3 * width).map { Float($0) })
        var expected = 0.0
        for column in 0..<width {
            let difference = Double(matrix[0, column]) - Double(matrix[2, column])
            expected += difference * difference
        }
        #expect(abs(matrix.squaredDistance(0, 2) - expected) < 1e-6 * expected)
        #expect(matrix.squaredDistance(1, 1) == 0)
    }

    @Test func nearestOfAll() {
        var random = SeededRandom(seed: 1)
        let matrix = Matrix(rows: 300, columns: 7, values: random.normal(count: 2100).map { Float($0) })
        let expected = (0..<300).filter { $0 != 42 }.map { (row: $0, d: matrix.squaredDistance(42, $0)) }
            .sorted { ($0.d, $0.row) < ($1.d, $1.row) }
        for count in [1, 2, 10, 299, 400] {
            #expect(matrix.nearest(count, to: 42).map(\.row) == expected.prefix(count).map(\.row))
        }
        #expect(matrix.nearest(0, to: 1).isEmpty)
        // Of equals, the earlier one.
        let same = Matrix(rows: 4, columns: 1, values: [0, 1, 1, 1])
        #expect(same.nearest(2, to: 0).map(\.row) == [1, 2])
    }
}
