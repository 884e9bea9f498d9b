import LinearAlgebra
import Models
package import Sites
package import Workbench

/// A difference of two classes' mean activations at one layer's input and one token position, with its performance as
/// the direction of a behaviour.
package struct DirectionCandidate: Sendable, Equatable {
    package let layer: Int
    /// The token position of the candidate, counted from the end of a prompt; -1 is the last.
    package let position: Int
    /// The difference of mean activations, mean(positive) - mean(negative), unnormalised, [width].
    package let vector: [Double]
    /// The scores of the positive prompts with the direction ablated everywhere; nil if not measured.
    package var bypass: [Double]?
    /// The scores of the negative prompts with the vector added at its layer; nil if not measured.
    package var induce: [Double]?
    /// The divergences KL(base‖ablated) of the model without the direction from the unedited one, in nats, at the
    /// negative prompts' last position; nil if not measured.
    package var divergence: [Double]?
    /// The reasons why the candidate can't be chosen; empty for one that can. A rejected candidate is not measured
    /// further unless every score is asked for, so later reasons may be missing.
    package var rejections: [Rejection] = []

    package enum Rejection: String, Sendable, Equatable, CaseIterable {
        /// The mean activations of the two classes are equal to the precision of f32, so that there is no direction
        /// between them. This is so at a position where the token and all tokens before it are the same in every
        /// prompt.
        case noDirection = "no direction"
        /// The candidate's layer is among the last ones, which are excluded.
        case layer = "late layer"
        /// A mean activation or a score of the candidate is NaN or infinite.
        case notFinite = "NaN"
        /// The mean score of the negative prompts after adding the candidate is below 0.
        case induce = "induce < 0"
        /// The mean KL divergence of the model without the direction from the unedited one is above the limit.
        case divergence = "KL"
    }

    package var site: Site { Site(.residPre, layer: layer) }
    package var isKept: Bool { rejections.isEmpty }
    /// The norm ‖r‖ of the candidate's unnormalised vector r.
    package var length: Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    package var meanBypass: Double? { bypass.map(Self.mean) }
    package var meanInduce: Double? { induce.map(Self.mean) }
    package var meanDivergence: Double? { divergence.map(Self.mean) }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The candidate's unit vector r̂ in f32, computed in float64, [width].
    var unit: [Float] {
        let length = length
        return vector.map { Float($0 / length) }
    }
}

/// The result of selecting a direction of a behaviour among candidates.
package struct SelectedDirection: Sendable, Equatable {
    /// All candidate directions, layer by layer, token positions ascending.
    package let candidates: [DirectionCandidate]
    /// The index of the kept candidate with the lowest bypass (the positives' mean score without it); nil if none was
    /// kept.
    package let chosen: Int?
    /// The mean activation of the negative prompts where the chosen candidate was found, in float32, [width]; nil if
    /// none was kept.
    package let negativeMean: [Float]?
    /// The scores of the unedited model on the validation prompts.
    package let base: Counts<[Double]>
    /// The number of prompts of each class from whose mean activations the candidates are made.
    package let train: Counts<Int>
    /// The number of prompts of each class that were left out because their score had the wrong sign.
    package let leftOut: Counts<Int>
    /// The work of the selection in tokens times layers.
    package let tokenLayers: Int
    /// The work, in tokens times layers, of the same preparation followed by three whole runs for each candidate, with
    /// none dropped.
    package let naiveTokenLayers: Int
    /// The number of floating-point operations of matrix products that the selection took.
    package let operations: Double
    /// The number of tokens with which every validation prompt begins.
    package let sharedTokens: Int
    /// The share of the validation prompts' tokens that a run would save by computing once the tokens that begin every
    /// prompt.
    package let sharedShare: Double

    /// A value for each of the two classes of prompts.
    package struct Counts<Value: Sendable & Equatable>: Sendable, Equatable {
        package let positive: Value
        package let negative: Value
    }

    /// Returns the direction that the selection chose, unnormalised and with its unit vector; nil if none was kept.
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
