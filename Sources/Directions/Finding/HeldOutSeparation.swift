import Control
import LinearAlgebra
package import Statistics

/// The performance, on held-out rows, of a rule that is made from the other rows and tells two classes apart.
package struct HeldOutSeparation: Sendable, Equatable {
    /// A plane that divides two classes of rows: a row x is positive if w·x > threshold.
    struct Rule: Sendable {
        /// The normal vector w of the plane that divides the classes, [width].
        let weights: [Double]
        let threshold: Double
    }

    /// The share of held-out rows that are classified right; each row is judged once, by the rule of the folds that it
    /// isn't in.
    package let accuracy: Proportion
    /// The area under the ROC curve over pairs of held-out rows of one fold, because scores of different rules can't be
    /// compared.
    package let auc: AreaUnderCurve
    /// The held-out accuracy of rules made with shuffled class labels, which is that of no difference; nil if it was
    /// not asked for.
    package let shuffledAccuracy: Proportion?
    package let folds: Int

    /// - Parameters:
    ///   - folds: the number of folds, at most the number of rows of the smaller class and at least 2. Row i of one
    ///     class and row i of the other share a fold if the classes have one size, so that a pair is never split.
    ///   - shuffles: whether the accuracy with shuffled labels is measured too.
    ///   - fit: makes the rule that tells the classes apart from some rows.
    static func measure(
        _ rows: LabelledRows, folds wanted: Int, seed: UInt64, shuffles: Bool, control: RunControl,
        fit: (LabelledRows) throws -> Rule
    ) throws -> HeldOutSeparation {
        let folds = max(2, min(wanted, rows.positives, rows.negatives))
        let fold = assignment(rows, folds: folds, seed: seed)
        let (accuracy, auc) = try judge(rows, order: Array(0..<rows.count), fold, folds, control, fit)
        var shuffled: Proportion?
        if shuffles {
            var random = SeededRandom(seed: seed, .shuffledLabels)
            // Rows trade places, so that the classes keep their sizes.
            let order = Array(0..<rows.count).shuffled(using: &random)
            shuffled = try judge(rows, order: order, fold, folds, control, fit).0
        }
        return HeldOutSeparation(accuracy: accuracy, auc: auc, shuffledAccuracy: shuffled, folds: folds)
    }

    /// Returns the cross-validation fold of each row; the folds' numbers of rows of a class differ by at most one.
    private static func assignment(_ rows: LabelledRows, folds: Int, seed: UInt64) -> [Int] {
        var random = SeededRandom(seed: seed, .folds)
        let positives = (0..<rows.positives).map { $0 % folds }.shuffled(using: &random)
        let isPaired = rows.positives == rows.negatives
        return positives
            + (isPaired ? positives : (0..<rows.negatives).map { $0 % folds }.shuffled(using: &random))
    }

    /// Fits the rule that tells two classes apart and judges it on the rows left out, fold by fold.
    ///
    /// - Parameter order: the row that stands in each place; the first `rows.positives` places are positive.
    private static func judge(
        _ rows: LabelledRows, order: [Int], _ fold: [Int], _ folds: Int, _ control: RunControl,
        _ fit: (LabelledRows) throws -> Rule
    ) throws -> (Proportion, AreaUnderCurve) {
        var right = 0
        var (wins, pairs) = (0.0, 0.0)
        // In the new order the classes are contiguous again.
        let placed =
            order == Array(0..<rows.count)
            ? rows
            : LabelledRows(
                values: order.flatMap { rows.values[$0 * rows.width..<($0 + 1) * rows.width] }, width: rows.width,
                positives: rows.positives, negatives: rows.negatives)
        for current in 0..<folds {
            try control.checkCancellation()
            let rule = try fit(placed.subset((0..<rows.count).filter { fold[$0] != current }))
            var scores: (positives: [Double], negatives: [Double]) = ([], [])
            for row in 0..<rows.count where fold[row] == current {
                let score = Arithmetic.dot(placed.values, row * rows.width, rule.weights)
                let isPositive = placed.isPositive(row)
                if isPositive == (score > rule.threshold) { right += 1 }
                if isPositive { scores.positives.append(score) } else { scores.negatives.append(score) }
            }
            wins += AreaUnderCurve.wins(scores.positives, scores.negatives) ?? 0
            pairs += Double(scores.positives.count * scores.negatives.count)
        }
        return (
            Proportion(successes: right, trials: rows.count),
            AreaUnderCurve(
                value: pairs > 0 ? wins / pairs : 0.5, positives: rows.positives, negatives: rows.negatives)
        )
    }
}
