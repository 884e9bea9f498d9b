import Control
import Geometry
import LinearAlgebra
import Statistics
import Testing

/// A table with one row of distances repeated.
private func table(_ distances: [Double], count: Int = 30) -> NearestNeighbours {
    NearestNeighbours(
        count: count, k: distances.count, indices: [Int32](repeating: 0, count: count * distances.count),
        distances: (0..<count).flatMap { _ in distances })
}

private func kernel(_ rows: [[Float]]) -> PatchKernel {
    PatchKernel(
        Matrix(rows: rows.count, columns: rows[0].count, values: rows.flatMap { $0 }), members: Array(rows.indices))
}

@Suite("Estimators refuse what has no answer")
struct EstimatorRefusalTests {
    private let good = table((1...20).map { Double($0) })

    @Test("neighbours that are too few, coincide or are not numbers")
    func neighbourTables() {
        let estimators: [(String, needed: Int, (NearestNeighbours) throws -> Any)] = [
            ("TwoNN", 2, { try TwoNN.estimate($0) }),
            ("GRIDE", 4, { try GRIDE.estimate($0, near: 2) }),
            ("GRIDE curve", 2, { try GRIDE.curve($0) }),
            ("MLE", 5, { try MaximumLikelihood.estimate($0, k: 5) }),
            ("MLE mean", 5, { try MaximumLikelihood.estimate($0, k: 5, combining: .mean) }),
            (
                "CorrInt", 4,
                {
                    try CorrelationDimension.betweenNeighbours(
                        $0, of: Matrix(rows: $0.count, columns: 1), near: 2, far: 4)
                }
            ),
        ]
        for (name, needed, estimate) in estimators {
            #expect(throws: GeometryError.tooFewNeighbours(found: 1, needed: needed), "\(name)") {
                try estimate(table([1]))
            }
            #expect(throws: GeometryError.tooFewNeighbours(found: 0, needed: needed), "\(name)") {
                try estimate(table([]))
            }
            // All ranks that the estimators read are 0.
            #expect(throws: GeometryError.coincidentPoints(row: 0), "\(name)") {
                try estimate(table([0, 0, 0, 0, 1]))
            }
            #expect(throws: GeometryError.self, "\(name): NaN") {
                try estimate(table([.nan, .nan, .nan, .nan, .nan]))
            }
            #expect(throws: GeometryError.self, "\(name): Inf") {
                try estimate(table([1, .infinity, .infinity, .infinity, .infinity]))
            }
            #expect(throws: GeometryError.self, "\(name): not ascending") { try estimate(table([5, 4, 3, 2, 1])) }
            #expect(throws: GeometryError.self, "\(name): all at one distance") {
                try estimate(table([2, 2, 2, 2, 2]))
            }
            #expect(throws: GeometryError.self, "\(name): no points") {
                try estimate(table([1, 2, 3, 4, 5], count: 0))
            }
        }
    }

    @Test("too few points, ratios below 1, options out of range")
    func options() {
        #expect(throws: GeometryError.tooFewPoints(found: 2, needed: 3)) { try TwoNN.estimate(ratios: [2, 3]) }
        #expect(throws: GeometryError.tooFewPoints(found: 0, needed: 3)) { try TwoNN.estimate(ratios: []) }
        #expect(throws: GeometryError.badRatio(index: 1)) { try TwoNN.estimate(ratios: [2, 0.5, 3, 4]) }
        #expect(throws: GeometryError.badRatio(index: 2)) { try TwoNN.estimate(ratios: [2, 2, .nan, 4]) }
        #expect(throws: GeometryError.badRatio(index: 0)) {
            try GRIDE.estimate(ratios: [.infinity, 2, 3], near: 1, far: 2)
        }
        for share in [-0.1, 1, 2, .nan] {
            #expect(throws: GeometryError.self) { try TwoNN.estimate(good, discardedShare: share) }
        }
        // A share so small that nothing would be left out still leaves out the largest: -ln(1 - N/N) is infinite.
        #expect(throws: Never.self) { try TwoNN.estimate(good, discardedShare: 0) }
        for (near, far) in [(0, 1), (-1, 2), (2, 2), (3, 2)] {
            #expect(throws: GeometryError.self) { try GRIDE.estimate(good, near: near, far: far) }
            #expect(throws: GeometryError.self) { try GRIDE.estimate(ratios: [2, 3, 4], near: near, far: far) }
        }
        #expect(throws: GeometryError.self) { try GRIDE.estimate(good, near: .max) }
        #expect(throws: GeometryError.self) { try MaximumLikelihood.estimate(good, k: 1) }
        #expect(throws: GeometryError.self) { try MaximumLikelihood.estimate(good, k: -3) }
        for k in [-5, 0, 1] { #expect(throws: GeometryError.self) { try PatchEigenvalues(size: k, width: 3) } }
    }

    @Test("kernels that are too small, of equal points, or of NaN")
    func kernels() throws {
        let estimators: [(String, (PatchKernel) throws -> Any)] = [
            ("debiased ratio", { try DebiasedParticipationRatio($0) }),
            ("ESS", { try ExpectedSimplexSkewness($0) }),
            (
                "local PCA",
                { try LocalPCARule.fukunagaOlsen().dimension(try LocalPCA.eigenvalues($0, width: 2)) }
            ),
            (
                "local PCA in batches",
                { kernel in
                    let batch = try PatchEigenvalues(size: max(2, kernel.size), width: 2)
                    try batch.add(kernel, patch: 0) { _, _ in }
                    var result: Double?
                    try batch.finish { result = try LocalPCARule.kaiser.dimension($1) }
                    return try #require(result)
                }
            ),
        ]
        for (name, estimate) in estimators {
            if name != "local PCA in batches" {
                #expect(throws: GeometryError.self, "\(name): empty") { try estimate(PatchKernel()) }
                #expect(throws: GeometryError.self, "\(name): one point") { try estimate(kernel([[1, 2]])) }
            }
            #expect(throws: GeometryError.noVariance, "\(name)") {
                try estimate(kernel([[1, 2], [1, 2], [1, 2], [1, 2], [1, 2]]))
            }
            for bad in [Float.nan, .infinity] {
                #expect(throws: GeometryError.kernelNotFinite, "\(name)") {
                    try estimate(kernel([[1, 2], [3, bad], [1, 5], [4, 2], [0, 0]]))
                }
            }
        }
        // Corners of a simplex: all equally far apart, of a dimension that no number of them shows.
        for n in [4, 5, 30] {
            let simplex = kernel((0..<n).map { corner in (0..<n).map { $0 == corner ? 2 : 0 } })
            #expect(throws: GeometryError.self) { try DebiasedParticipationRatio(simplex).dimension() }
        }
        var random = SeededRandom(seed: 5)
        for count in [4, 5, 12] {
            for _ in 0..<40 {
                let rows = (0..<count).map { _ in random.normal(count: 50).map(Float.init) }
                #expect(try DebiasedParticipationRatio(kernel(rows)).dimension() >= 1)
            }
        }
        #expect(throws: GeometryError.self) { try DebiasedParticipationRatio.pooled([]) }
    }

    @Test("spectra that are empty, out of order, negative, zero or not numbers")
    func spectra() throws {
        for bad in [[], [0, 0, 0], [1, 2], [2, 1, -0.5], [.nan, 1], [2, .nan], [.infinity, 1], [-1, -2]] as [[Double]] {
            #expect(throws: GeometryError.self, "\(bad)") { try LinearDimensions(eigenvalues: bad) }
            for rule in LocalPCARule.all {
                #expect(throws: GeometryError.self, "\(rule) \(bad)") { try rule.dimension(bad) }
            }
        }
        for rule in LocalPCARule.all {
            #expect(try rule.dimension([3]) <= 1, "\(rule)")
            let value = try rule.dimension([1e300, 1e300, 1e-300, 0])
            // A broken stick gives its longest of four pieces 52 %: more than either of two equal eigenvalues has.
            #expect(value >= (rule == .brokenStick ? 0 : 1) && value <= 4, "\(rule)")
        }
        #expect(throws: GeometryError.self) { try LocalPCARule.fan.dimension([2, 2, 2, 2]) }
        let huge = try LinearDimensions(eigenvalues: [1e308, 1e308, 1e308])
        #expect(huge.participationRatio == 3 && huge.stableRank == 3 && huge.numericalRank == 3)
        #expect(abs(huge.effectiveRank - 3) < 1e-12)
        // Rounding below 0 counts as 0.
        #expect(try LinearDimensions(eigenvalues: [4, 1, -1e-16]) == LinearDimensions(eigenvalues: [4, 1, 0]))
    }

    @Test("point sets that are too small, constant, collinear or not numbers")
    func pointSets() throws {
        let constant = Matrix(rows: 50, columns: 3, values: [Float](repeating: 2, count: 150))
        #expect(throws: GeometryError.noVariance) { try FullCorrelation(constant) }
        #expect(throws: GeometryError.coincidentPoints(row: 1)) { try CorrelationDimension.slope(constant) }
        #expect(throws: GeometryError.noVariance) {
            try TangentSpace(constant, members: 0..<10, dimension: 1)
        }
        #expect(throws: GeometryError.tooFewPoints(found: 2, needed: 3)) {
            try FullCorrelation(Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6]))
        }
        #expect(throws: GeometryError.noVariance) { try FullCorrelation(Matrix(rows: 5, columns: 0)) }
        #expect(throws: GeometryError.tooFewPoints(found: 0, needed: 2)) {
            try CorrelationDimension.slope(Matrix(rows: 0, columns: 3))
        }
        let few = flatGaussian(20, dimension: 3, width: 3, seed: 1)
        #expect(throws: GeometryError.self) { try CorrelationDimension.slope(few) }
        for range in [0...0.1, 0.2...1.5, 0.1...0.1] {
            #expect(throws: GeometryError.self) { try CorrelationDimension.slope(few, shares: range) }
        }
        var bad = flatGaussian(40, dimension: 3, width: 3, seed: 2)
        bad[7, 1] = .nan
        #expect(throws: GeometryError.notFinite(row: 7, column: 1)) { try FullCorrelation(bad) }
        #expect(throws: GeometryError.notFinite(row: 7, column: 1)) { try CorrelationDimension.slope(bad) }
        #expect(throws: GeometryError.notFinite(row: 7, column: 1)) {
            try TangentSpace(bad, members: 0..<10, dimension: 1)
        }
        // On a line every direction is one or its opposite: dimension 1, not a refusal.
        let line = Matrix(rows: 30, columns: 2, values: (0..<30).flatMap { [Float($0), 0] })
        let found = try FullCorrelation(line)
        #expect(abs(found.dimension - 1) < 0.1 && abs(found.moment - 1) < 1e-9)
        for dimension in [0, -1, 2, 100] {
            #expect(throws: GeometryError.self) { try TangentSpace(line, members: 0..<10, dimension: dimension) }
        }
        let control = RunControl()
        control.cancel()
        #expect(throws: CancellationError.self) { try FullCorrelation(few, control: control) }
    }

    @Test("messages say what, where and how to mend it")
    func messages() {
        let errors: [GeometryError] = [
            .tooFewPoints(found: 1, needed: 4), .tooFewNeighbours(found: 1, needed: 20), .badDistance(row: 3, rank: 2),
            .coincidentPoints(row: 9), .badRatio(index: 4), .equalDistances(near: 1, far: 2), .noVariance,
            .kernelNotFinite, .badEigenvalue(index: 0), .unresolved(estimator: "FCI", points: 5), .widthsDiffer(3, 4),
            .outOfRange(option: "k", value: "0", allowed: "2 or more"),
        ]
        for error in errors {
            let text = "\(error)"
            #expect(text.count > 30 && !text.contains("GeometryError"), "\(text)")
        }
        #expect("\(GeometryError.coincidentPoints(row: 9))".contains("row 9"))
        #expect("\(GeometryError.tooFewNeighbours(found: 1, needed: 20))".contains("1 neighbour of each point is"))
    }
}
