package import Control
import LinearAlgebra
import Statistics

/// The method by which a direction is made of two classes of rows: difference in means, paired PCA, or logistic probe.
package enum DirectionMethod: String, CaseIterable, Sendable {
    case means, pca, probe
}

/// A direction between two classes of activations at one site (a named place in the model), with its performance on
/// rows that it was not made from.
package struct FoundDirection: Sendable {
    /// The direction's vector towards the positives, [width]: the difference of the classes' means; or the first
    /// principal direction of the pairs, as long as the root mean square of their projections; or the probe's weights.
    package let vector: [Double]
    /// The mean of the negative class's rows, [width].
    package let negativeMean: [Double]
    /// The signal-to-noise ratio of the difference in means, whatever the method: see `DifferenceInMeans`.
    package let signalToNoise: Double?
    package let heldOut: HeldOutSeparation

    package var norm: Double { Arithmetic.norm(vector) }

    package init(_ method: DirectionMethod, _ rows: LabelledRows, seed: UInt64, control: RunControl) throws {
        let means = DifferenceInMeans(rows)
        negativeMean = means.negativeMean
        signalToNoise = means.signalToNoise
        switch method {
        case .means:
            vector = means.direction
            heldOut = try DifferenceInMeans.heldOut(rows, seed: seed, control: control)
        case .pca:
            let found = try PairedPrincipalDirections(rows, count: 1)
            let size = found.singularValues[0] / Double(found.pairs).squareRoot()
            vector = found.directions[0].map { $0 * size }
            heldOut = try PairedPrincipalDirections.heldOut(rows, seed: seed, control: control)
        case .probe:
            let probe = try LogisticProbe(rows, seed: seed, control: control)
            vector = probe.direction
            heldOut = probe.heldOut
        }
    }

    /// Returns the cosine between two directions; nil if the widths differ or a length is 0.
    package func cosine(to other: FoundDirection) -> Double? {
        let lengths = norm * other.norm
        guard vector.count == other.vector.count, lengths > 0 else { return nil }
        return Arithmetic.dot(vector, 0, other.vector) / lengths
    }

    /// Returns the index of the best of several directions: by held-out accuracy, then held-out area under the curve,
    /// then signal to noise; of equals the first.
    package static func best(_ candidates: [FoundDirection?]) -> Int? {
        func key(_ found: FoundDirection) -> (Double, Double, Double) {
            (found.heldOut.accuracy.value ?? 0, found.heldOut.auc.value, found.signalToNoise ?? 0)
        }
        var best: Int?
        for (index, candidate) in candidates.enumerated() {
            guard let candidate else { continue }
            if let chosen = best, let other = candidates[chosen], key(candidate) <= key(other) { continue }
            best = index
        }
        return best
    }
}
