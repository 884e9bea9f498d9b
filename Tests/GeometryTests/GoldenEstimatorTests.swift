import Foundation
import Geometry
import HDF5
import LinearAlgebra
import TestSupport
import Testing

/// Point sets and what the public estimators say of them; Scripts/estimators/golden.py writes the file.
private struct GoldenSets {
    let file: File
    let names: [String]
    let scalarNames: [String]
    /// Of each set, the min(128, N - 1) nearest neighbours.
    private(set) var tables: [String: NearestNeighbours] = [:]

    static let all = Result { try GoldenSets() }

    init() throws {
        file = try File(NacreProcess.root.appending(path: "Tests/Fixtures/geometry/estimators.h5").path)
        names = file.contents.groups.filter { $0.path.count == 2 }.map { $0.path[1] }
        scalarNames = try #require(file.contents.attributes["scalars"]?.text).split(separator: " ").map(String.init)
        for name in names {
            let points = try points(name)
            tables[name] = GeometryTests.neighbours(of: points, k: min(128, points.rows - 1))
        }
    }

    /// The k nearest neighbours alone.
    func neighbours(_ name: String, k: Int) throws -> NearestNeighbours {
        let table = try #require(tables[name])
        let rows = (0..<table.count).map { $0 * table.k..<$0 * table.k + k }
        return NearestNeighbours(
            count: table.count, k: k, indices: rows.flatMap { table.indices[$0] },
            distances: rows.flatMap { table.distances[$0] })
    }

    func array<Element: BitwiseCopyable>(_ path: String...) throws -> [Element] {
        let dataset = try #require(file.contents.dataset(["sets"] + path), "\(path)")
        return try file.decode(dataset).array(of: Element.self)
    }

    func has(_ path: String...) -> Bool { file.contents.dataset(["sets"] + path) != nil }

    func points(_ name: String) throws -> Matrix {
        let shape = try #require(file.contents.dataset(["sets", name, "points"])).shape
        return Matrix(rows: shape[0], columns: shape[1], values: try array(name, "points"))
    }

    func scalars(_ name: String) throws -> [String: Double] {
        let values: [Double] = try array(name, "scalars")
        return Dictionary(uniqueKeysWithValues: zip(scalarNames, values))
    }
}

/// The largest relative difference of pairs of numbers.
private struct Agreement {
    var worst = 0.0
    var place = ""
    var count = 0

    mutating func add(_ value: Double, _ reference: Double, _ where_: String) {
        let difference = abs(value - reference) / max(abs(reference), .leastNormalMagnitude)
        count += 1
        if !(difference <= worst) { (worst, place) = (difference, "\(where_): \(value), not \(reference)") }
    }

    func check(_ what: String, within tolerance: Double) {
        #expect(count > 0, "\(what)")
        #expect(worst <= tolerance, "\(what): \(place)")
    }
}

@Suite("Estimators agree with the public ones")
struct GoldenEstimatorTests {
    private let golden: GoldenSets

    init() throws { golden = try GoldenSets.all.get() }

    @Test("31 sets of the fixture") func fixture() { #expect(golden.names.count == 31) }

    @Test("METHODS' reference values for a ball of 30 points")
    func ball() throws {
        let points = try golden.points("ball")
        let table = try golden.neighbours("ball", k: 20)
        let twoNN = try TwoNN.estimate(table)
        #expect(abs(twoNN.slope - 4.52231) < 5e-6)
        #expect(abs(twoNN.maximumLikelihood - 4.76787) < 5e-6)
        #expect(abs(try TwoNN.estimate(table, discardedShare: 0.05).slope - 4.63403) < 5e-6)
        let curve = try GRIDE.curve(table)
        #expect(curve.map(\.near) == [1, 2, 4, 8])
        for (estimate, value) in zip(curve, [4.77, 3.76, 3.64, 3.50]) {
            #expect(abs(estimate.dimension - value) < 0.005)
        }
        #expect(abs(try MaximumLikelihood.estimate(table) - 3.34116) < 5e-6)
        let eigenvalues = try LocalPCA.eigenvalues(PatchKernel(points, members: Array(0..<30)), width: 10)
        let expected: [(LocalPCARule, Double)] = [
            (.fukunagaOlsen(), 5), (.fan, 3), (.maximumGap, 5), (.participationRatio, 4.3879), (.kaiser, 4),
            (.brokenStick, 5), (.ratio(), 5),
        ]
        for (rule, value) in expected {
            #expect(abs(try rule.dimension(eigenvalues) - value) < 5e-5, "\(rule.name)")
        }
    }

    @Test("neighbours of the tests' search are sklearn's")
    func knn() throws {
        var agreement = Agreement()
        for name in golden.names where golden.has(name, "knn", "indices") {
            let table = try golden.neighbours(name, k: 20)
            let indices: [Int32] = try golden.array(name, "knn", "indices")
            let distances: [Double] = try golden.array(name, "knn", "distances")
            #expect(table.indices == indices)
            for (a, b) in zip(table.distances, distances) { agreement.add(a, b, name) }
        }
        agreement.check("distances", within: 1e-12)
    }

    @Test("TwoNN: skdim's and DADApy's")
    func twoNN() throws {
        var (slope, base, likelihood) = (Agreement(), Agreement(), Agreement())
        for name in golden.names {
            let scalars = try golden.scalars(name)
            let table = try golden.neighbours(name, k: 2)
            let estimate = try TwoNN.estimate(table)
            slope.add(estimate.slope, scalars["twonn_ols"]!, name)
            slope.add(try TwoNN.estimate(table, discardedShare: 0.05).slope, scalars["twonn_ols_05"]!, name)
            base.add(estimate.slope, scalars["twonn_dadapy_base"]!, name)
            likelihood.add(estimate.maximumLikelihood, scalars["twonn_dadapy_ml"]!, name)
            let ratios = (0..<table.count).map { table.distance($0, rank: 2) / table.distance($0, rank: 1) }
            #expect(try TwoNN.estimate(ratios: ratios.reversed()) == estimate)
        }
        slope.check("TwoNN slope", within: 1e-8)
        base.check("TwoNN slope, DADApy", within: 1e-7)  // fitted by iteration there
        likelihood.check("TwoNN likelihood", within: 1e-8)
    }

    @Test("GRIDE and its error: DADApy's")
    func gride() throws {
        var (dimension, error) = (Agreement(), Agreement())
        for name in golden.names {
            let near: [Double] = try golden.array(name, "gride_n1")
            let values: [Double] = try golden.array(name, "gride")
            let errors: [Double] = try golden.array(name, "gride_error")
            let table = try golden.neighbours(name, k: min(128, golden.points(name).rows - 1))
            let curve = try GRIDE.curve(table)
            #expect(curve.map { Double($0.near) } == near)
            for (index, estimate) in curve.enumerated() {
                dimension.add(estimate.dimension, values[index], "\(name) n1 = \(estimate.near)")
                error.add(estimate.standardError, errors[index], "\(name) n1 = \(estimate.near)")
                #expect(try GRIDE.estimate(table, near: estimate.near) == estimate)
            }
        }
        dimension.check("GRIDE", within: 1e-6)
        error.check("GRIDE error", within: 1e-6)
    }

    @Test("maximum likelihood of Levina and Bickel: skdim's")
    func maximumLikelihood() throws {
        var agreement = Agreement()
        for name in golden.names {
            let scalars = try golden.scalars(name)
            let table = try golden.neighbours(name, k: 20)
            for k in [10, 20] {
                agreement.add(try MaximumLikelihood.estimate(table, k: k), scalars["mle_\(k)"]!, name)
                agreement.add(
                    try MaximumLikelihood.estimate(table, k: k, combining: .mean), scalars["mle_\(k)_mean"]!, name)
            }
            let pointwise: [Double] = try golden.array(name, "mle_20_pointwise")
            for (a, b) in zip(try MaximumLikelihood.perPoint(table), pointwise) { agreement.add(a, b, name) }
        }
        agreement.check("MLE", within: 1e-8)
    }

    @Test("correlation integral: skdim's, from the table alone and with distances to all points", arguments: [20, 59])
    func correlation(k: Int) throws {
        var agreement = Agreement()
        var rounded = Agreement()
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        for name in golden.names {
            let points = try golden.points(name)
            let table = try golden.neighbours(name, k: min(k, points.rows - 1))
            let alone = try CorrelationDimension.betweenNeighbours(table, of: points)
            agreement.add(alone, try golden.scalars(name)["corrint"]!, name)
            #expect(try CorrelationDimension.betweenNeighbours(table, of: points, pool: pool) == alone)
            let tiled = try CorrelationDimension.betweenNeighbours(table, of: points, pool: pool, exactWork: 0)
            rounded.add(tiled, alone, name)
        }
        agreement.check("CorrInt k=\(k)", within: 1e-8)
        rounded.check("CorrInt from f32 products, k=\(k)", within: 1e-4)
    }

    private static let rules: [(LocalPCARule, String)] = [
        (.fukunagaOlsen(), "FO"), (.fan, "Fan"), (.maximumGap, "maxgap"), (.ratio(share: 0.05), "ratio"),
        (.ratio(share: 0.95), "ratio_95"), (.kaiser, "Kaiser"), (.brokenStick, "broken_stick"),
        (.participationRatio, "participation_ratio"),
    ]

    /// Whether skdim's answer is made of more than rounding: of Fan's rule it is not when one eigenvalue holds 95 % and
    /// the others' sum about the mean, 0, decides by its sign.
    private static func isDecided(_ rule: LocalPCARule, _ eigenvalues: [Double], maximumGap: Bool) -> Bool {
        switch rule {
        case .maximumGap: maximumGap
        case .fan: eigenvalues[0] <= 0.95 * eigenvalues.reduce(0, +)
        default: true
        }
    }

    @Test("local PCA of a whole set: skdim's")
    func globalPCA() throws {
        var ratio = Agreement()
        for name in golden.names {
            let points = try golden.points(name)
            let scalars = try golden.scalars(name)
            let kernel = PatchKernel(points, members: Array(0..<points.rows))
            let eigenvalues = try LocalPCA.eigenvalues(kernel, width: points.columns)
            for (rule, key) in Self.rules {
                let value = try rule.dimension(eigenvalues)
                if rule == .participationRatio {
                    ratio.add(value, scalars["lpca_\(key)"]!, name)
                } else if Self.isDecided(rule, eigenvalues, maximumGap: scalars["lpca_maxgap_decided"] == 1) {
                    #expect(value == scalars["lpca_\(key)"]!, "\(name) \(key)")
                }
            }
        }
        ratio.check("participation ratio", within: 1e-8)
    }

    @Test("local PCA of every patch, batched: skdim's", arguments: [20, 50])
    func localPCA(k: Int) throws {
        var (ratio, alone) = (Agreement(), Agreement())
        var compared = 0
        for name in golden.names where golden.has(name, "patches_\(k)", "FO") {
            let points = try golden.points(name)
            let table = try golden.neighbours(name, k: k)
            let batch = try PatchEigenvalues(size: k, width: points.columns)
            var eigenvalues = [[Double]](repeating: [], count: points.rows)
            for point in 0..<points.rows {
                try batch.add(patchKernel(points, table, of: point, k: k), patch: point) { eigenvalues[$0] = $1 }
            }
            try batch.finish { eigenvalues[$0] = $1 }
            let decided: [Int8] = try golden.array(name, "patches_\(k)", "maxgap_decided")
            for (rule, key) in Self.rules {
                if rule == .participationRatio {
                    let expected: [Double] = try golden.array(name, "patches_\(k)", key)
                    for (a, b) in zip(eigenvalues, expected) { ratio.add(try rule.dimension(a), b, name) }
                    continue
                }
                let expected: [Int8] = try golden.array(name, "patches_\(k)", key)
                for point in 0..<points.rows {
                    guard Self.isDecided(rule, eigenvalues[point], maximumGap: decided[point] == 1) else { continue }
                    let value = try rule.dimension(eigenvalues[point])
                    #expect(value == Double(expected[point]), "\(name), patch \(point), \(key)")
                    compared += 1
                }
            }
            for point in stride(from: 0, to: points.rows, by: 17) {
                let one = try LocalPCA.eigenvalues(
                    patchKernel(points, table, of: point, k: k), width: points.columns)
                for (a, b) in zip(eigenvalues[point], one) { alone.add(one[0] + a, one[0] + b, name) }
            }
        }
        #expect(compared > 10_000)
        ratio.check("participation ratio of patches of \(k)", within: 1e-8)
        alone.check("eigenvalues in batches of \(k)", within: 1e-12)
    }

    @Test("debiased participation ratio: the package dimensionality's 'row'")
    func debiasedParticipationRatio() throws {
        var (whole, patches) = (Agreement(), Agreement())
        for name in golden.names {
            let points = try golden.points(name)
            let kernel = PatchKernel(points, members: Array(0..<points.rows))
            let expected = try golden.scalars(name)["pr_row"]!
            whole.add(try DebiasedParticipationRatio(kernel).dimension(), expected, name)
            for k in [20, 50] where golden.has(name, "patches_\(k)", "pr_row") {
                let table = try golden.neighbours(name, k: k)
                let values: [Double] = try golden.array(name, "patches_\(k)", "pr_row")
                for point in 0..<points.rows {
                    let ratio = try DebiasedParticipationRatio(patchKernel(points, table, of: point, k: k))
                    patches.add(try ratio.dimension(), values[point], "\(name), patch \(point)")
                }
            }
        }
        whole.check("debiased participation ratio", within: 1e-8)
        patches.check("debiased participation ratio of patches", within: 1e-8)
    }

    @Test("expected simplex skewness: skdim's, all pairs")
    func simplexSkewness() throws {
        var (whole, skewness, patches) = (Agreement(), Agreement(), Agreement())
        for name in golden.names {
            let points = try golden.points(name)
            let scalars = try golden.scalars(name)
            let estimate = try ExpectedSimplexSkewness(PatchKernel(points, members: Array(0..<points.rows)))
            whole.add(estimate.dimension, scalars["ess_all"]!, name)
            skewness.add(estimate.skewness, scalars["ess_all_skewness"]!, name)
            let head = PatchKernel(points, members: Array(0..<min(100, points.rows)))
            whole.add(try ExpectedSimplexSkewness(head).dimension, scalars["ess_head"]!, name)
            let table = try golden.neighbours(name, k: 20)
            let values: [Double] = try golden.array(name, "patches_20", "ess")
            for point in 0..<points.rows {
                let patch = try ExpectedSimplexSkewness(patchKernel(points, table, of: point, k: 20))
                patches.add(patch.dimension, values[point], "\(name), patch \(point)")
            }
        }
        skewness.check("skewness", within: 1e-8)
        whole.check("ESS", within: 1e-6)
        patches.check("ESS of patches", within: 1e-6)
    }

    @Test("full correlation: fitted with scipy, both forms")
    func fullCorrelation() throws {
        var (likelihood, moment) = (Agreement(), Agreement())
        for name in golden.names {
            let scalars = try golden.scalars(name)
            let estimate = try FullCorrelation(try golden.points(name))
            likelihood.add(estimate.dimension, scalars["fci_ml"]!, name)
            moment.add(estimate.moment, scalars["fci_moment"]!, name)
        }
        likelihood.check("FCI", within: 1e-6)
        moment.check("FCI, moment", within: 1e-8)
    }

    private static func centred(_ points: Matrix) -> [Double] {
        var result = points.values.map(Double.init)
        for column in 0..<points.columns {
            let mean = (0..<points.rows).reduce(0.0) { $0 + result[$1 * points.columns + column] } / Double(points.rows)
            for row in 0..<points.rows { result[row * points.columns + column] -= mean }
        }
        return result
    }

    @Test("linear dimensions: numpy's")
    func linear() throws {
        var agreement = Agreement()
        for name in golden.names {
            let points = try golden.points(name)
            let scalars = try golden.scalars(name)
            let centred = Self.centred(points)
            let sigma = try SingularValues(of: centred, rows: points.rows, columns: points.columns).values
            let linear = try LinearDimensions(eigenvalues: sigma.map { $0 * $0 })
            agreement.add(linear.participationRatio, scalars["pr"]!, name)
            agreement.add(linear.effectiveRank, scalars["effective_rank_lambda"]!, name)
            agreement.add(linear.stableRank, scalars["stable_rank"]!, name)
            agreement.add(linear.effectiveRankOfSingularValues, scalars["effective_rank_sigma"]!, name + " sigma")
            #expect(Double(linear.d90) == scalars["d90"], "\(name)")
            #expect(Double(linear.d95) == scalars["d95"], "\(name)")
            #expect(Double(linear.d99) == scalars["d99"], "\(name)")
        }
        agreement.check("linear dimensions", within: 1e-8)
    }
}
