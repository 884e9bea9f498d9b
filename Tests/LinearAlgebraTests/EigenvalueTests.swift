import Foundation
import LinearAlgebra
import Statistics
import Testing

@Suite("Eigenvalues and singular values")
struct EigenvalueTests {
    private static func symmetric(_ n: Int, _ element: (Int, Int) -> Double) -> [Double] {
        var matrix = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0...i {
                matrix[i * n + j] = element(i, j)
                matrix[j * n + i] = matrix[i * n + j]
            }
        }
        return matrix
    }

    /// Matrices that find what reduction and QL get wrong: of low rank, diagonal, apart, clustered, graded, tiny, huge.
    private static func matrices(_ n: Int) -> [(String, [Double])] {
        var random = SeededRandom(seed: UInt64(n))
        func gram(_ columns: Int, scale: (Int) -> Double = { _ in 1 }) -> [Double] {
            var rows = random.normal(count: n * columns)
            for index in rows.indices { rows[index] *= scale(index % columns) }
            return Gram.rows(rows, rows: n, columns: columns)
        }
        let dense = gram(2 * n)
        let wilkinson = symmetric(n) { i, j in i == j ? abs(Double(i) - Double(n - 1) / 2) : i == j + 1 ? 1 : 0 }
        return [
            ("gram", dense), ("rank 1", gram(1)), ("rank 3", gram(3)), ("power law", gram(n) { 1 / Double($0 + 1) }),
            ("graded", gram(n) { exp2(-Double($0)) }), ("graded upwards", gram(n) { exp2(Double($0 - n)) }),
            ("zero", symmetric(n) { _, _ in 0 }), ("identity", symmetric(n) { $0 == $1 ? 1 : 0 }),
            ("diagonal", symmetric(n) { $0 == $1 ? Double(($0 * 7) % n) - 3 : 0 }),
            ("ones", symmetric(n) { _, _ in 1 }),
            ("two blocks", symmetric(n) { ($0 < n / 2) == ($1 < n / 2) ? 1 / Double($0 + $1 + 1) : 0 }),
            ("Hilbert", symmetric(n) { 1 / Double($0 + $1 + 1) }), ("Wilkinson", wilkinson),
            ("Laplacian", symmetric(n) { $0 == $1 ? 2 : $0 == $1 + 1 ? -1 : 0 }),
            ("antidiagonal", symmetric(n) { $0 + $1 == n - 1 ? 1 : 0 }),
            ("nearly diagonal", symmetric(n) { $0 == $1 ? Double($0) : 1e-9 }),
            ("indefinite", symmetric(n) { i, j in dense[i * n + j] * ((i + j) % 3 == 0 ? -1 : 1) }),
            ("tiny", dense.map { $0 * 1e-290 }), ("huge", dense.map { $0 * 1e290 }),
            ("denormal", dense.map { $0 * 1e-300 * 1e-15 }),
        ]
    }

    @Test("in batches of eight: LAPACK's to 1e-12 of the largest", arguments: [1, 2, 3, 4, 5, 8, 20, 33, 100, 151])
    func batches(n: Int) throws {
        let matrices = Self.matrices(n)
        let solver = SymmetricEigenvalues(size: n)
        var found: [[Double]] = []
        for (name, matrix) in matrices {
            #expect(solver.add(matrix), "\(name)")
            if solver.isFull { found += try solver.solve() }
        }
        found += try solver.solve()
        #expect(solver.count == 0)
        #expect(try solver.solve().isEmpty)
        try #require(found.count == matrices.count)
        for ((name, matrix), values) in zip(matrices, found) {
            let exact = try SymmetricEigen(of: matrix, size: n, vectors: false).values
            try #require(values.count == n)
            // LAPACK too has no more digits than the numbers themselves below 2^-1022.
            let scale = max(exact.map(abs).max() ?? 0, 1e-300)
            for (a, b) in zip(values, exact) { #expect(abs(a - b) <= 1e-12 * scale, "\(name)") }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 }, "\(name)")
        }
    }

    @Test("of a matrix are the same bits whatever shares its batch, and however often it is solved")
    func company() throws {
        let n = 40
        let matrices = Self.matrices(n)
        let solver = SymmetricEigenvalues(size: n)
        var alone: [[Double]] = []
        for (_, matrix) in matrices {
            _ = solver.add(matrix)
            alone += try solver.solve()
        }
        for (start, count) in [(0, 8), (3, 5), (8, 4), (1, 2), (12, 8)] {
            for (_, matrix) in matrices[start..<start + count] { _ = solver.add(matrix) }
            for (index, values) in try solver.solve().enumerated() {
                #expect(values == alone[start + index], "\(matrices[start + index].0)")
            }
        }
    }

    @Test("NaN and Inf are refused, and the batch goes on")
    func refusal() throws {
        let solver = SymmetricEigenvalues(size: 3)
        let good: [Double] = [2, 0, 0, 0, 1, 0, 0, 0, 3]
        #expect(solver.add(good))
        for bad in [Double.nan, .infinity, -.infinity] {
            var matrix = good
            matrix[6] = bad
            #expect(!solver.add(matrix))
        }
        #expect(solver.count == 1)
        #expect(solver.add(good))
        #expect(try solver.solve() == [[3, 2, 1], [3, 2, 1]])
    }

    @Test(
        "singular values: roots of the Gram matrix's eigenvalues, and small ones that it cannot show",
        arguments: [5, 40])
    func singularValues(columns: Int) throws {
        var random = SeededRandom(seed: 4)
        let rows = 12
        let x = random.normal(count: rows * columns)
        let found = try SingularValues(of: x, rows: rows, columns: columns, vectors: true)
        let eigen = try SymmetricEigen(
            of: Gram.rows(x, rows: rows, columns: columns), size: rows, vectors: false
        ).values
        let rank = min(rows, columns)
        #expect(found.values.count == rank && found.rightVectors.count == rank * columns)
        for (sigma, lambda) in zip(found.values, eigen) { #expect(abs(sigma * sigma / lambda - 1) < 1e-10) }
        // |x v| = sigma for each right vector v.
        for index in 0..<rank {
            var square = 0.0
            for row in 0..<rows {
                var sum = 0.0
                for column in 0..<columns {
                    sum += x[row * columns + column] * found.rightVectors[index * columns + column]
                }
                square += sum * sum
            }
            #expect(abs(square.squareRoot() / found.values[index] - 1) < 1e-12)
        }
        let alone = try SingularValues(of: x, rows: rows, columns: columns)
        #expect(alone.rightVectors.isEmpty)
        for (a, b) in zip(alone.values, found.values) { #expect(abs(a - b) <= 1e-13 * found.values[0]) }
        let graded = try SingularValues(of: [1, 0, 0, 1e-12], rows: 2, columns: 2).values
        #expect(graded == [1, 1e-12])
        #expect(try SingularValues(of: [], rows: 0, columns: 3).values.isEmpty)
    }
}
