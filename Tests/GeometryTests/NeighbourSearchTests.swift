import Control
import LinearAlgebra
import Statistics
import TerminalText
import Testing

@testable import Geometry

struct NeighbourSearchTests {
    /// Every neighbour by float64 distances from the rows, ties by row.
    private func bruteForce(_ points: Matrix, k: Int) -> (indices: [Int32], distances: [Double]) {
        var indices: [Int32] = []
        var distances: [Double] = []
        for point in 0..<points.rows {
            let all = (0..<points.rows).filter { $0 != point }.map { other in
                var sum = 0.0
                for column in 0..<points.columns {
                    let difference = Double(points[point, column]) - Double(points[other, column])
                    sum += difference * difference
                }
                return (sum, other)
            }.sorted { $0 < $1 }.prefix(k)
            indices += all.map { Int32($0.1) }
            distances += all.map { $0.0.squareRoot() }
        }
        return (indices, distances)
    }

    @Test(
        "The neighbours of the tiled search are those of brute force",
        arguments: [(40, 3, 5), (600, 7, 20), (1100, 33, 8), (515, 2, 514)])
    func agreesWithBruteForce(count: Int, width: Int, k: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let points = Matrix.normal(rows: count, columns: width, random: &random)
        let expected = bruteForce(points, k: k)
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        let found = try NeighbourSearch(
            PointSet(points), k: k, exactRanks: k, pool: pool, control: RunControl()
        ).neighbours
        #expect(found.indices == expected.indices)
        #expect(zip(found.distances, expected.distances).allSatisfy { abs($0 - $1) <= 1e-12 * $1 })
    }

    @Test("Tight clusters far from the mean keep their neighbours, though f32 products can't tell them apart")
    func tightClusters() throws {
        var random = SeededRandom(seed: 4)
        var points = Matrix.normal(rows: 300, columns: 6, random: &random)
        for row in 0..<300 {
            for column in 0..<6 { points[row, column] = points[row, column] * 1e-3 + (row < 150 ? 100 : -100) }
        }
        let expected = bruteForce(points, k: 10)
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        let found = try NeighbourSearch(PointSet(points), k: 10, exactRanks: 2, pool: pool, control: RunControl())
            .neighbours
        #expect(found.indices == expected.indices)
        #expect(zip(found.distances, expected.distances).allSatisfy { abs($0 - $1) <= 1e-12 * $1 })
    }

    @Test("One thread and two find the same bits, with and without inner products kept")
    func sameBits() throws {
        var random = SeededRandom(seed: 9)
        let set = try PointSet(Matrix.normal(rows: 1300, columns: 50, random: &random))
        let results = try [(1, false), (2, true)].map { threads, keeps in
            let pool = try ThreadPool(threadCount: threads)
            defer { pool.stop() }
            return try NeighbourSearch(set, k: 30, keepsGram: keeps, pool: pool, control: RunControl())
        }
        #expect(results[0].neighbours.indices == results[1].neighbours.indices)
        #expect(results[0].neighbours.distances == results[1].neighbours.distances)
        let gram = try #require(results[1].gram)
        for row in stride(from: 0, to: 1300, by: 7) {
            for column in stride(from: 0, to: 1300, by: 11) {
                #expect(gram[row, column] == gram[column, row])
                var sum = 0.0
                for place in 0..<50 {
                    sum +=
                        (Double(set.points[row, place]) - set.mean[place])
                        * (Double(set.points[column, place]) - set.mean[place])
                }
                #expect(abs(sum - Double(gram[row, column])) < 1e-4)
            }
        }
    }

    @Test("Repeated rows are dropped and counted, -0 is 0")
    func duplicates() throws {
        let set = try PointSet(
            Matrix(rows: 5, columns: 2, values: [0, 1, 2, 3, -0.0, 1, 2, 3, 4, 5]))
        #expect(set.rows == [0, 1, 4])
        #expect(set.duplicates == 2)
        #expect(throws: GeometryError.allTheSame(rows: 3)) {
            try PointSet(Matrix(rows: 3, columns: 2, values: [1, 2, 1, 2, 1, 2]))
        }
        #expect(throws: GeometryError.notFinite(row: 1, column: 0)) {
            try PointSet(Matrix(rows: 2, columns: 2, values: [1, 2, .nan, 2]))
        }
        #expect(throws: GeometryError.tooFewPoints(found: 1, needed: 2)) {
            try PointSet(Matrix(rows: 1, columns: 2, values: [1, 2]))
        }
    }
}
