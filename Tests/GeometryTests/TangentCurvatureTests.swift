import Control
import Foundation
import LinearAlgebra
import Statistics
import Testing

@testable import Geometry

@Suite("Curvature by tangent spaces")
struct TangentCurvatureTests {
    private func measure(_ points: Matrix, _ options: TangentCurvature.Options) throws -> TangentCurvature {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        return try TangentCurvature(PointSet(points), options, pool: pool, control: RunControl())
    }

    private func noisy(_ points: Matrix, sigma: Double, seed: UInt64) -> Matrix {
        var random = SeededRandom(seed: seed)
        let noise = random.normal(count: points.values.count)
        return Matrix(
            rows: points.rows, columns: points.columns,
            values: zip(points.values, noise).map { $0 + Float(sigma * $1) })
    }

    private func padded(_ points: Matrix, to width: Int) -> Matrix {
        var result = Matrix(rows: points.rows, columns: width)
        for row in 0..<points.rows {
            for column in 0..<points.columns { result[row, column] = points[row, column] }
        }
        return result
    }

    @Test(
        "a flat set with noise is not called curved, and angles are those of sampling",
        arguments: [(dimension: 2, width: 10, sigma: 0.1), (dimension: 5, width: 20, sigma: 0.2)])
    func flat(planted: (dimension: Int, width: Int, sigma: Double)) throws {
        var verdicts: [TangentCurvature.Finding] = []
        for seed in 0..<4 as Range<UInt64> {
            let points = flatGaussian(1500, dimension: planted.dimension, width: planted.width, seed: seed)
            let found = try measure(
                noisy(points, sigma: planted.sigma, seed: seed + 100),
                .init(k: 60, dimension: planted.dimension, seed: seed))
            #expect(found.bins.count == 5 && found.centres == 500 && found.pointsPerSpace == 30)
            for bin in found.bins {
                verdicts.append(try #require(bin.finding))
                #expect(abs(bin.largest.difference.mean) < 0.05)
                // Halves of one patch differ by as much.
                #expect(bin.largest.splitHalf.mean > 0.2 && bin.containment.splitHalf.mean < 0.95)
            }
        }
        #expect(!verdicts.contains(.curved))
        #expect(verdicts.count { $0 == .flat } > 14, "\(verdicts)")
    }

    @Test("without noise a flat set has one tangent space")
    func exact() throws {
        let found = try measure(flatGaussian(1000, dimension: 4, width: 12, seed: 3), .init(k: 50))
        #expect(found.dimension == 4 && found.localDimension.median == 4)
        for bin in found.bins {
            #expect(bin.finding == .flat && bin.largest.between.mean < 1e-4)
            #expect(bin.containment.between.mean > 1 - 1e-9)
        }
    }

    @Test("on a unit sphere the largest angle is the arc between the patches, and the others are 0")
    func sphere() throws {
        for (dimension, noise, tolerance) in [(2, 0.0, 2.0), (2, 0.03, 2.5), (5, 0.02, 3.5)] {
            var random = SeededRandom(seed: 5)
            let sphere = PlantedSample.sphere.points(dimension: dimension, count: 2000, random: &random)
            let found = try measure(
                noisy(padded(sphere, to: 10), sigma: noise, seed: 9), .init(dimension: dimension, seed: 1))
            #expect(abs(found.medianDistance - 2.0.squareRoot()) < 0.04)
            var before = 0.0
            // From where the arc exceeds what sampling gives, up to a quarter of a turn.
            for bin in found.bins {
                #expect(bin.finding == .curved)
                // Noise puts its own length between centres, at right angles to the chord.
                let away = bin.distance * found.medianDistance
                let chord = max(0, away * away - 2 * 10 * noise * noise).squareRoot()
                guard chord > 0.25, chord < 1.25 else { continue }
                let arc = 2 * asin(chord / 2) * 180 / .pi
                let largest = bin.largest.between.mean * 180 / .pi
                #expect(abs(largest - arc) < tolerance, "\(dimension) \(noise): \(largest) degrees for \(arc)")
                #expect(bin.largest.between.mean > before)
                before = bin.largest.between.mean
                let others = (bin.mean.between.mean * Double(dimension) - bin.largest.between.mean)
                #expect(noise > 0 || others < 0.05, "\(others)")
                // cos² of one angle, 1 for the others.
                let cosine = cos(arc * .pi / 180)
                let expected = 1 - (1 - cosine * cosine) / Double(dimension)
                #expect(abs(bin.containment.between.mean - expected) < 0.04)
            }
            #expect(before > 0.4)
        }
    }

    @Test("a rolled sheet: flat along its width, curved along the roll")
    func roll() throws {
        var random = SeededRandom(seed: 2)
        var points = Matrix(rows: 3000, columns: 6)
        for row in 0..<points.rows {
            let turn = 1.5 * Double.pi * (1 + 2 * random.uniform())
            points[row, 0] = Float(turn * cos(turn))
            points[row, 1] = Float(20 * random.uniform())
            points[row, 2] = Float(turn * sin(turn))
        }
        let found = try measure(noisy(points, sigma: 0.05, seed: 4), .init(k: 30))
        #expect(found.dimension == 2)
        #expect(found.bins.allSatisfy { $0.finding == .curved })
        #expect(found.bins[1].largest.between.mean > 1.5 * found.bins[0].largest.between.mean)
        // One angle only: the mean of both is half the largest.
        for bin in found.bins.dropFirst() {
            #expect(abs(bin.mean.between.mean / bin.largest.between.mean - 0.5) < 0.1)
        }
        #expect(found.bins[0].overlap > 0.3 && found.bins[4].overlap < 0.01)
    }

    @Test("random subspaces: containment d/D exactly, and no less by angles")
    func random() throws {
        let found = try measure(flatGaussian(400, dimension: 6, width: 30, seed: 3), .init(k: 40, dimension: 6))
        #expect(found.random.containment == 0.2)
        // cos² has mean d/D.
        #expect(abs(cos(found.random.mean) * cos(found.random.mean) - 0.2) < 0.08)
        #expect(found.random.largest > 1.4 && found.random.largest < Double.pi / 2)
    }

    @Test("the same seed and any number of threads give the same bits; patches of one pair share no point")
    func halves() throws {
        let points = try PointSet(noisy(flatGaussian(300, dimension: 3, width: 8, seed: 1), sigma: 0.1, seed: 2))
        var found: [[Double]] = []
        for threads in [1, 3] {
            let pool = try ThreadPool(threadCount: threads)
            defer { pool.stop() }
            let curvature = try TangentCurvature(
                points, .init(k: 20, dimension: 3, seed: 7), pool: pool, control: RunControl())
            found.append(curvature.bins.flatMap { [$0.largest.between.mean, $0.containment.difference.low ?? 0] })
            let patches = try TangentPatches(points, k: 20, limit: 50, seed: 7, pool: pool, control: RunControl())
            let (first, second) = (Set(patches.first.flatMap(\.self)), Set(patches.second.flatMap(\.self)))
            #expect(first.isDisjoint(with: second))
            for (place, centre) in patches.centres.enumerated() {
                #expect(patches.first[place].count == 10 && patches.second[place].count == 10)
                #expect(!(patches.first[place] + patches.second[place]).contains(Int32(centre)))
                let ranks = patches.spread(from: place, count: 6, among: Array(0..<50))
                #expect(Set(ranks).count == 6 && !ranks.contains(place))
            }
            #expect(patches.overlap(0, 0) == 1)
        }
        #expect(found[0] == found[1])
    }

    @Test("refuse what has no answer")
    func refusals() throws {
        let points = flatGaussian(60, dimension: 3, width: 8, seed: 1)
        func refuses(_ points: Matrix, _ options: TangentCurvature.Options) -> GeometryError? {
            do {
                _ = try measure(points, options)
                return nil
            } catch { return error as? GeometryError }
        }
        for k in [3, 59, .max, .min] {
            #expect(
                refuses(points, .init(k: k))
                    == .outOfRange(option: "k", value: "\(k)", allowed: "4...58, two below the points"))
        }
        for d in [0, 8, 10, .max, .min] {
            let error = refuses(points, .init(k: 40, dimension: d))
            #expect(
                error
                    == .outOfRange(
                        option: "dimension", value: "\(d)",
                        allowed: "1...7, below half the patch and below the points' coordinates"))
        }
        #expect(refuses(points, .init(k: 20, neighbours: 0)) != nil)
        #expect(refuses(points, .init(k: 20, neighbours: .max)) == nil)
        // No patch spans 7 directions of these 2.
        var random = SeededRandom(seed: 3)
        let plane = padded(Matrix.normal(rows: 60, columns: 2, random: &random), to: 8)
        #expect(
            refuses(plane, .init(k: 40, dimension: 7))
                == .outOfRange(
                    option: "dimension", value: "7", allowed: "less: the patches' points span fewer directions"))
        let few = Matrix(rows: 5, columns: 2, values: [0, 1, 2, 3, 4, 5, 6, 8, 1, 9])
        #expect(refuses(few, .init(k: 4)) == .tooFewPoints(found: 5, needed: 6))
        var bad = points
        bad[3, 2] = .infinity
        #expect(refuses(bad, .init(k: 20)) == .notFinite(row: 3, column: 2))
        let line = Matrix(rows: 20, columns: 1, values: (0..<20).map(Float.init))
        #expect(
            refuses(line, .init(k: 6))
                == .outOfRange(option: "width", value: "1", allowed: "points of 2 coordinates or more"))
        let control = RunControl()
        control.cancel()
        let pool = try ThreadPool(threadCount: 1)
        defer { pool.stop() }
        #expect(throws: CancellationError.self) {
            try TangentCurvature(PointSet(points), .init(k: 20), pool: pool, control: control)
        }
    }
}
