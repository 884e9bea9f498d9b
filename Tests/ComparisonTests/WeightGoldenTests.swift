import Checkpoints
import Control
import Foundation
import Geometry
import LinearAlgebra
import Models
import TestSupport
import Testing

@testable import Comparison

/// Every figure beside numpy's: Scripts/goldens/weights_goldens.py wrote Tests/Fixtures/weights.golden.json.
@Suite("Weights beside numpy")
struct WeightGoldenTests {
    private struct Golden: Decodable {
        let pairs: [Pair]

        struct Pair: Decodable {
            let a: String
            let b: String
            let top: Int
            let total: [String: Double]
            let tensors: [Tensor]
        }

        struct Tensor: Decodable {
            let name: String
            let figures: [String: Double]
        }
    }

    private func check(_ found: TensorDifference, _ expected: [String: Double], _ name: String) {
        let own = [
            "relative_change": found.relativeChange, "relative_gap": found.relativeGap, "cosine": found.cosine,
            "changed": found.changedShare, "largest_change": found.largestChange, "rounding": found.roundingFloor,
        ]
        for (key, value) in own {
            guard let reference = expected[key], let value else {
                Issue.record("\(name) has no \(key)")
                continue
            }
            #expect(abs(value - reference) <= 1e-9 * abs(reference), "\(name) \(key): \(value) beside \(reference)")
        }
    }

    @Test("elementwise figures to 1e-9, ranks and overlaps to 1e-6")
    func figures() throws {
        let path = URL(filePath: repositoryFile("Tests/Fixtures/weights.golden.json"))
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: path))
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        #expect(golden.pairs.count == 2)
        for pair in golden.pairs {
            let (a, b) = (
                try Checkpoint.open(repositoryFile(pair.a)),
                try Checkpoint.open(repositoryFile(pair.b))
            )
            let comparison = try WeightsComparison(
                TensorPairs(a.tensors, b.tensors).pairs, a, b, pool: pool, control: RunControl())
            check(try #require(comparison.total), pair.total, pair.a)
            for tensor in pair.tensors {
                let row = try #require(comparison.rows.first { $0.pair.name == tensor.name })
                check(row.difference, tensor.figures, tensor.name)
                guard let largest = tensor.figures["largest_singular_value"] else { continue }
                let (one, other) = (try #require(try a.tensor(tensor.name)), try #require(try b.tensor(tensor.name)))
                let gaussian = try GramSpectrum(
                    gaussianRows: one.shape[0], columns: one.shape[1], seed: 0, control: RunControl())
                let spectrum = try DifferenceSpectrum(
                    one, other, grains: row.grains, gaussian: gaussian, top: pair.top, seed: 0, control: RunControl())
                let own = [
                    "largest_singular_value": spectrum.singularValues[0],
                    "stable_rank": spectrum.dimensions?.stableRank,
                    "effective_rank_sigma": spectrum.dimensions?.effectiveRankOfSingularValues,
                    "effective_rank_lambda": spectrum.dimensions?.effectiveRank, "left": spectrum.overlap?.left,
                    "right": spectrum.overlap?.right,
                ]
                #expect(largest > 0)
                for (key, value) in own {
                    let (value, reference) = (try #require(value), try #require(tensor.figures[key]))
                    #expect(abs(value - reference) <= 1e-6 * reference, "\(tensor.name) \(key): \(value) \(reference)")
                }
            }
        }
    }
}
