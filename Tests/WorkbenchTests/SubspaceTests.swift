import Workbench
import LinearAlgebra
import Models
import Statistics
import Testing

@Suite("Subspaces")
struct SubspaceTests {
    @Test("the basis is orthonormal, and its first rows span the first vectors")
    func orthonormal() throws {
        var random = SeededRandom(seed: 3)
        let vectors = Matrix(rows: 5, columns: 32, values: random.normal(count: 160).map(Float.init))
        let subspace = try Subspace(vectors: vectors)
        for i in 0..<5 {
            for j in 0..<5 {
                let product = zip(subspace.basis.row(i), subspace.basis.row(j)).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - (i == j ? 1 : 0)) < 1e-6)
            }
            // What the first i + 1 directions leave of vector i is nothing.
            var rest = Array(vectors.row(i))
            for j in 0...i {
                let product = zip(rest, subspace.basis.row(j)).reduce(0) { $0 + $1.0 * $1.1 }
                for (place, unit) in subspace.basis.row(j).enumerated() { rest[place] -= product * unit }
            }
            #expect(rest.allSatisfy { abs($0) < 1e-5 })
        }
        #expect(try subspace.prefix(2).basis.values == Array(subspace.basis.values.prefix(64)))
    }

    @Test("vectors without a direction are refused, each for its reason")
    func refusals() throws {
        #expect(throws: SubspaceError.zero(vector: 1)) {
            try Subspace(vectors: Matrix(rows: 2, columns: 2, values: [1, 0, 0, 0]))
        }
        #expect(throws: SubspaceError.dependent(vector: 1)) {
            try Subspace(vectors: Matrix(rows: 2, columns: 3, values: [1, 2, 3, 2, 4, 6]))
        }
        #expect(throws: SubspaceError.notFinite(vector: 0)) {
            try Subspace(vectors: Matrix(rows: 1, columns: 2, values: [.nan, 0]))
        }
        #expect(throws: SubspaceError.tooMany(vectors: 3, width: 2)) {
            try Subspace(vectors: Matrix(rows: 3, columns: 2, values: [1, 0, 0, 1, 1, 1]))
        }
        let skew = Matrix(rows: 2, columns: 2, values: [1, 0, 0.6, 0.8])
        #expect(throws: SubspaceError.self) {
            try Subspace(basis: skew, vectors: skew, site: nil, position: nil, recipe: "{}")
        }
    }
}
