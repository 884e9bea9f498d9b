import Workbench
import LinearAlgebra
import Models
import Sites
import Testing

@Suite("Algebra of subspaces")
struct SubspaceAlgebraTests {
    private static let site = Site(.residPre, layer: 3)

    private static func subspace(_ rows: [[Float]], site: Site? = site) throws -> Subspace {
        try Subspace(
            vectors: Matrix(rows: rows.count, columns: rows[0].count, values: rows.flatMap { $0 }), site: site,
            position: "last")
    }

    @Test("vectors are added and subtracted unnormalised; the site stays where both have it")
    func sums() throws {
        let a = try Self.subspace([[1, 2, 3]])
        let b = try Self.subspace([[1, 0, -1]])
        #expect(try a.adding(b).vectors.values == [2, 2, 2])
        #expect(try a.subtracting(b).vectors.values == [0, 2, 4])
        #expect(try a.adding(b).site == Self.site)
        #expect(try a.adding(Self.subspace([[1, 0, -1]], site: nil)).site == nil)
        #expect(throws: SubspaceError.zero(vector: 0)) { try a.subtracting(a) }
        #expect(throws: SubspaceError.differentCounts(1, 2)) {
            try a.adding(Self.subspace([[1, 0, 0], [0, 1, 0]]))
        }
        #expect(throws: SubspaceError.differentWidths(3, 2)) { try a.adding(Self.subspace([[1, 0]])) }
    }

    @Test("orthogonalised vectors have nothing along the other; what lies in it is left out")
    func orthogonalise() throws {
        let a = try Self.subspace([[1, 2, 3, 0], [0, 5, 0, 0]])
        let against = try Self.subspace([[0, 2, 0, 0]])
        let rest = try a.orthogonalised(against: against)
        #expect(rest.dimension == 1)
        #expect(rest.vectors.values == [1, 0, 3, 0])
        #expect(rest.site == Self.site)
        #expect(throws: SubspaceError.nothingLeft) { try against.orthogonalised(against: a) }
    }

    @Test("a join spans its parts, once")
    func join() throws {
        let a = try Self.subspace([[1, 0, 0, 0], [1, 1, 0, 0]])
        let joined = try Subspace.join([a, try Self.subspace([[3, 4, 0, 0]]), try Self.subspace([[0, 0, 0, 2]])])
        #expect(joined.dimension == 3)
        #expect(joined.vectors.row(2).elementsEqual([0, 0, 0, 2]))
        #expect(joined.projection(of: [5, 6, 7, 8] as [Float]) == [5, 6, 0, 8])
        #expect(joined.coordinates(of: [0, 0, 7, 8] as [Float]).map(abs) == [0, 0, 8])
        let points = try joined.coordinates(of: Matrix(rows: 1, columns: 4, values: [0, 0, 7, 8]))
        #expect(points.values.map(abs) == [0, 0, 8])
        #expect(throws: SubspaceError.notFiniteRow("capture", row: 0)) {
            try joined.coordinates(of: Matrix(rows: 1, columns: 4, values: [0, .nan, 7, 8]))
        }
    }

    @Test("principal angles of planes that share a line")
    func angles() throws {
        let a = try Self.subspace([[1, 0, 0], [0, 1, 0]])
        let cosine = Float(0.8)
        let b = try Self.subspace([[2, 0, 0], [0, cosine, 0.6]])
        let found = try a.cosines(to: b)
        #expect(found.count == 2 && abs(found[0] - 1) < 1e-6 && abs(found[1] - 0.8) < 1e-6)
        #expect(abs(try Self.subspace([[1, 1, 0]]).cosine(to: Self.subspace([[-1, 0, 0]])) + 0.5.squareRoot()) < 1e-6)
    }
}
