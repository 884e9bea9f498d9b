import Directions
import LinearAlgebra
import Statistics
import Testing
import Workbench

@Suite("Random directions")
struct DirectionSamplerTests {
    /// Two groups whose rows vary along two axes alone, and whose means are far apart along a third.
    private static func groups(_ random: inout SeededRandom) -> [Matrix] {
        [Float(0), 100].map { offset in
            let values = (0..<200).flatMap { _ -> [Float] in
                let draws = random.normal(count: 2)
                return [Float(3 * draws[0]), Float(draws[1]), offset, 0]
            }
            return Matrix(rows: 200, columns: 4, values: values)
        }
    }

    @Test("what tells the groups apart is no part of a draw, and large variances are drawn more")
    func covariance() throws {
        var random = SeededRandom(seed: 1)
        let sampler = try DirectionSampler(covarianceWithin: Self.groups(&random))
        var shares = [Double](repeating: 0, count: 4)
        for _ in 0..<400 {
            let drawn = try sampler.subspace(1, random: &random).basis.row(0)
            for (axis, value) in drawn.enumerated() { shares[axis] += Double(value * value) / 400 }
        }
        #expect(shares[2] < 1e-9 && shares[3] == 0)
        // E[x²/(x² + y²)] of independent normals with standard deviations 3 and 1 is 3/4.
        #expect(abs(shares[0] - 0.75) < 0.05)
    }

    @Test("draws are orthogonal to what they stand beside, and as long as was asked")
    func outside() throws {
        var random = SeededRandom(seed: 2)
        let other = try Subspace(vectors: Matrix(rows: 2, columns: 5, values: random.normal(count: 10).map(Float.init)))
        let drawn = try DirectionSampler.isotropic(width: 5).subspace(
            2, lengths: [2, 7], outside: other, random: &random)
        for row in 0..<2 {
            for against in 0..<2 {
                let product = zip(drawn.vectors.row(row), other.basis.row(against)).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product) < 1e-5)
            }
        }
        #expect(abs(drawn.lengths[0] - 2) < 1e-5 && abs(drawn.lengths[1] - 7) < 1e-5)
    }

    @Test("isotropic draws have no favourite axis")
    func isotropic() throws {
        var random = SeededRandom(seed: 3)
        var shares = [Double](repeating: 0, count: 8)
        for _ in 0..<800 {
            let drawn = try DirectionSampler.isotropic(width: 8).subspace(1, random: &random).basis.row(0)
            for (axis, value) in drawn.enumerated() { shares[axis] += Double(value * value) / 800 }
        }
        #expect(shares.allSatisfy { abs($0 - 0.125) < 0.02 })
    }

    @Test("no variance, and no room left, are refused")
    func refusals() throws {
        var random = SeededRandom(seed: 4)
        let same = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 1, 2, 3])
        #expect(throws: SubspaceError.zero(vector: 0)) { try DirectionSampler(covarianceWithin: [same]) }
        let line = Matrix(rows: 2, columns: 3, values: [1, 0, 0, 2, 0, 0])
        let along = try Subspace(vectors: Matrix(rows: 1, columns: 3, values: [1, 0, 0]))
        let sampler = try DirectionSampler(covarianceWithin: [line])
        #expect(throws: SubspaceError.zero(vector: 0)) {
            try sampler.subspace(1, outside: along, random: &random)
        }
        #expect(throws: SubspaceError.zero(vector: 0)) {
            try DirectionSampler.isotropic(width: 3).subspace(3, outside: along, random: &random)
        }
    }
}
