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
    ///   - folds: the number of folds, at most the number of rows of the smaller class and at least 2. The rows of a
    ///     group share a fold. Without groups, row i of one class and row i of the other share a fold if the classes
    ///     have one size, so that a pair is never split.
    ///   - shuffles: whether the accuracy with shuffled labels is measured too.
    ///   - fit: makes the rule that tells the classes apart from some rows.
    static func measure(
        _ rows: LabelledRows, folds wanted: Int, seed: UInt64, shuffles: Bool, control: RunControl,
        fit: (LabelledRows) throws -> Rule
    ) throws -> HeldOutSeparation {
        let (fold, folds) =
            rows.groups.flatMap { groups in
                // If pairs hold too many groups together, groups come before pairs.
                groupedAssignment(rows, united(groups, rows), folds: wanted, seed: seed)
                    ?? groupedAssignment(rows, groups, folds: wanted, seed: seed)
            } ?? assignment(rows, folds: wanted, seed: seed)
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

    /// Returns the cross-validation fold of each row, and the number of folds; the folds' numbers of rows of a class
    /// differ by at most one.
    private static func assignment(_ rows: LabelledRows, folds wanted: Int, seed: UInt64) -> ([Int], folds: Int) {
        let folds = max(2, min(wanted, rows.positives, rows.negatives))
        var random = SeededRandom(seed: seed, .folds)
        let positives = (0..<rows.positives).map { $0 % folds }.shuffled(using: &random)
        let isPaired = rows.positives == rows.negatives
        let negatives = isPaired ? positives : (0..<rows.negatives).map { $0 % folds }.shuffled(using: &random)
        return (positives + negatives, folds)
    }

    /// Returns the groups of rows, with those groups united that have the two rows of a pair (row i of each class) if the
    /// classes have one size.
    private static func united(_ groups: [Int], _ rows: LabelledRows) -> [Int] {
        guard rows.positives == rows.negatives else { return groups }
        var parents = Array(0...(groups.max() ?? 0))
        func root(_ group: Int) -> Int {
            var group = group
            while parents[group] != group { group = parents[group] }
            return group
        }
        for row in 0..<rows.positives {
            let (one, other) = (root(groups[row]), root(groups[rows.positives + row]))
            parents[max(one, other)] = min(one, other)
        }
        return groups.map(root)
    }

    /// Returns the cross-validation fold of each row, and the number of folds, such that the rows of a group share a
    /// fold.
    ///
    /// - Returns: nil if a class has so few groups that a fold would hold the whole class.
    private static func groupedAssignment(
        _ rows: LabelledRows, _ groups: [Int], folds wanted: Int, seed: UInt64
    ) -> ([Int], folds: Int)? {
        let members = Dictionary(grouping: 0..<rows.count) { groups[$0] }.sorted { $0.key < $1.key }.map(\.value)
        let sizes = members.map { group in
            let positives = group.count(where: rows.isPositive)
            return [positives, group.count - positives]
        }
        let folds = max(2, min(wanted, sizes.count { $0[0] > 0 }, sizes.count { $0[1] > 0 }))
        var random = SeededRandom(seed: seed, .folds)
        // Large groups first, so that the folds come out as even as they can; among equals, in a random order.
        let order = random.permutation(members.count).sorted { members[$0].count > members[$1].count }
        var fold = [Int](repeating: 0, count: rows.count)
        var filled = [[Int]](repeating: [0, 0], count: folds)
        for group in order {
            let size = sizes[group]
            func load(_ fold: Int) -> Int { filled[fold][0] * size[0] + filled[fold][1] * size[1] }
            let chosen = (0..<folds).min { (load($0), $0) < (load($1), $1) } ?? 0
            for row in members[group] { fold[row] = chosen }
            for side in 0...1 { filled[chosen][side] += size[side] }
        }
        let isWhole = filled.contains { $0[0] == rows.positives || $0[1] == rows.negatives }
        return isWhole ? nil : (fold, folds)
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
