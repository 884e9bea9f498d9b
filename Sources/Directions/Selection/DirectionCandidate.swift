import LinearAlgebra
import Models
package import Sites
package import Workbench

/// A difference in means at one layer's input and one position, and how it does as the direction of a behaviour.
package struct DirectionCandidate: Sendable, Equatable {
    package let layer: Int
    /// From the end of a prompt: -1 is the last.
    package let position: Int
    /// mean(positive) - mean(negative), unnormalised. [width]
    package let vector: [Double]
    /// Scores of the positive prompts with the direction ablated everywhere; nil: not measured.
    package var bypass: [Double]?
    /// Scores of the negative prompts with the vector added at its layer; nil: not measured.
    package var induce: [Double]?
    /// KL(base‖ablated) of the negative prompts at the last position, in nats; nil: not measured.
    package var divergence: [Double]?
    /// Why it can't be chosen; empty for one that can. A candidate that is out is not measured further unless every score
    /// is asked for, so that later reasons may be missing.
    package var rejections: [Rejection] = []

    package enum Rejection: String, Sendable, Equatable, CaseIterable {
        /// The means are the same to the precision of f32, as where the token and all before it are.
        case noDirection = "no direction"
        /// Among the last layers.
        case layer = "late layer"
        case notFinite = "NaN"
        /// The mean score after adding is below 0.
        case induce = "induce < 0"
        /// The mean divergence is above the limit.
        case divergence = "KL"
    }

    package var site: Site { Site(.residPre, layer: layer) }
    package var isKept: Bool { rejections.isEmpty }
    /// ‖r‖
    package var length: Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    package var meanBypass: Double? { bypass.map(Self.mean) }
    package var meanInduce: Double? { induce.map(Self.mean) }
    package var meanDivergence: Double? { divergence.map(Self.mean) }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// r̂ in f32, from float64. [width]
    var unit: [Float] {
        let length = length
        return vector.map { Float($0 / length) }
    }
}

/// What a selection found.
package struct SelectedDirection: Sendable, Equatable {
    /// Layer by layer, positions ascending.
    package let candidates: [DirectionCandidate]
    /// The kept candidate of the lowest bypass; nil where none was kept.
    package let chosen: Int?
    /// The negatives' mean where the chosen one was found, in float32; nil where none was kept. [width]
    package let negativeMean: [Float]?
    /// Scores of the unedited model on the prompts of validation.
    package let base: Counts<[Double]>
    /// Prompts that means are made of.
    package let train: Counts<Int>
    /// Prompts that were left out because their score was on the wrong side.
    package let leftOut: Counts<Int>
    /// Tokens by layers that were run.
    package let tokenLayers: Int
    /// Tokens by layers of the same preparation and then three whole runs a candidate, nothing dropped.
    package let naiveTokenLayers: Int
    /// Floating-point operations of matrix products.
    package let operations: Double
    /// Tokens with which every prompt of validation begins.
    package let sharedTokens: Int
    /// The part of validation's tokens that a run would save by computing those once.
    package let sharedShare: Double

    package struct Counts<Value: Sendable & Equatable>: Sendable, Equatable {
        package let positive: Value
        package let negative: Value
    }

    /// The chosen direction, unnormalised and of length 1; nil where none was kept.
    package func subspace(recipe: String = "{}") throws -> Subspace? {
        try chosen.map { index in
            let candidate = candidates[index]
            var subspace = try Subspace(
                vectors: Matrix(rows: 1, columns: candidate.vector.count, values: candidate.vector.map(Float.init)),
                site: candidate.site, position: candidate.position == -1 ? "last" : String(candidate.position),
                recipe: recipe)
            subspace.negativeMean = negativeMean
            return subspace
        }
    }
}
