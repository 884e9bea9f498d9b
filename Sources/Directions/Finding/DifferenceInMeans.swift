package import Control
import LinearAlgebra

/// The difference in means r = mean(positives) - mean(negatives) of two classes of rows, unnormalised: the direction of
/// Arditi et al. 2024 (eq. 3).
package struct DifferenceInMeans: Sendable {
    /// The difference r between the two classes' means, unnormalised, [width].
    package let direction: [Double]
    /// The mean of the positive rows, [width].
    package let positiveMean: [Double]
    /// The mean of the negative rows, [width].
    package let negativeMean: [Double]
    package let positives: Int
    package let negatives: Int
    /// The ratio of |r|² (r the difference in means) to E|r|² = tr(S) (1/n + 1/m), its average over random splits into
    /// n and m rows without a difference; S is the covariance within the classes (divisor n + m - 2). 1 means no
    /// difference; nil if the rows of each class are all the same.
    package let signalToNoise: Double?

    package var norm: Double { Arithmetic.norm(direction) }

    package init(_ rows: LabelledRows) {
        let (n, m) = (rows.positives, rows.negatives)
        positives = n
        negatives = m
        positiveMean = rows.mean(0..<n)
        negativeMean = rows.mean(n..<n + m)
        direction = zip(positiveMean, negativeMean).map { $0 - $1 }
        var scatter = 0.0
        for row in 0..<n + m {
            let mean = row < n ? positiveMean : negativeMean
            var difference = mean
            for column in 0..<rows.width { difference[column] = rows.values[row * rows.width + column] - mean[column] }
            scatter += Arithmetic.dot(difference, 0, difference)
        }
        let noise = n + m > 2 ? scatter / Double(n + m - 2) * (1 / Double(n) + 1 / Double(m)) : 0
        signalToNoise = noise > 0 ? Arithmetic.dot(direction, 0, direction) / noise : nil
    }

    /// Measures how well the projection on the difference in means r, with a threshold halfway between the two means,
    /// tells apart rows that r was not made from.
    package static func heldOut(
        _ rows: LabelledRows, folds: Int = 5, seed: UInt64, shuffles: Bool = true, control: RunControl
    ) throws -> HeldOutSeparation {
        try HeldOutSeparation.measure(rows, folds: folds, seed: seed, shuffles: shuffles, control: control) { rows in
            let positive = rows.mean(0..<rows.positives)
            let negative = rows.mean(rows.positives..<rows.count)
            return .between(positive, negative, along: zip(positive, negative).map { $0 - $1 })
        }
    }
}

extension HeldOutSeparation.Rule {
    /// Returns the rule that divides two classes at a plane orthogonal to `weights`, halfway between the classes'
    /// means.
    static func between(_ positive: [Double], _ negative: [Double], along weights: [Double]) -> Self {
        let middle = (Arithmetic.dot(positive, 0, weights) + Arithmetic.dot(negative, 0, weights)) / 2
        return Self(weights: weights, threshold: middle)
    }
}
