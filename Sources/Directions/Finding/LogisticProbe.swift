package import Control
import LinearAlgebra

/// Logistic regression with an L2 penalty λ: p(positive | x) = 1 / (1 + e^-(w·x + b)), where the weights w and
/// intercept b minimise -Σ ln p(label) + λ |w|² / 2.
package struct LogisticProbe: Sendable {
    /// The probe's weights w, which point towards the positive class, [width].
    package let direction: [Double]
    /// The intercept b of the logistic regression.
    package let intercept: Double
    /// The probe's L2 penalty λ divided by the mean squared length of the centred rows.
    package let penalty: Double
    /// The performance on rows that the probe was not made from.
    package let heldOut: HeldOutSeparation

    /// Fits a logistic probe in the span of the rows, which holds the solution, so that a width of thousands costs no
    /// more than the rows do.
    ///
    /// - Parameter penalty: the L2 penalty λ divided by the mean squared length of the centred rows. With 0.1 and 200
    ///   rows it takes hold of directions with less than some 0.2 % of the variance.
    /// - Throws: `LinearAlgebraError` from LAPACK; `CancellationError`.
    package init(
        _ rows: LabelledRows, penalty: Double = 0.1, folds: Int = 5, seed: UInt64, shuffles: Bool = true,
        control: RunControl
    ) throws {
        precondition(penalty > 0, "a penalty of \(penalty)")
        let (n, width) = (rows.count, rows.width)
        // The intercept b takes up any shift of the rows, so centring changes nothing but the rounding.
        let mean = rows.mean(0..<n)
        var centred = rows.values
        for row in 0..<n {
            for column in 0..<width { centred[row * width + column] -= mean[column] }
        }
        let meanSquare = max(Arithmetic.dot(centred, 0, centred) / Double(n), .leastNormalMagnitude)
        let lambda = penalty * meanSquare
        let span = try Span(centred, rows: n, width: width)
        var reduced = LabelledRows(
            values: span.coordinates, width: span.dimension, positives: rows.positives, negatives: rows.negatives)
        reduced.groups = rows.groups
        heldOut = try HeldOutSeparation.measure(reduced, folds: folds, seed: seed, shuffles: shuffles, control: control)
        {
            let fit = try LogisticFit($0, lambda: lambda, scale: meanSquare.squareRoot(), control: control)
            return HeldOutSeparation.Rule(weights: fit.weights, threshold: -fit.intercept)
        }
        let fit = try LogisticFit(reduced, lambda: lambda, scale: meanSquare.squareRoot(), control: control)
        direction = span.vector(fit.weights)
        intercept = fit.intercept - Arithmetic.dot(direction, 0, mean)
        self.penalty = penalty
    }

    /// The coordinates of rows in an orthonormal basis of their span, or the rows themselves if there are at least as
    /// many as columns.
    private struct Span {
        /// The rows' coordinates in the basis of their span, [rows, dimension].
        let coordinates: [Double]
        let dimension: Int
        private let basis: [[Double]]?

        init(_ rows: [Double], rows n: Int, width: Int) throws {
            guard n < width else {
                (coordinates, dimension, basis) = (rows, width, nil)
                return
            }
            let eigen = try SymmetricEigen(of: Gram.rows(rows, rows: n, columns: width), size: n)
            let kept = eigen.values.prefix { $0 > 1e-12 * eigen.values[0] && $0 > 0 }.count
            var coordinates = [Double](repeating: 0, count: n * kept)
            var basis: [[Double]] = []
            for index in 0..<kept {
                let length = eigen.values[index].squareRoot()
                var direction = [Double](repeating: 0, count: width)
                for row in 0..<n {
                    let share = eigen.vectors[index * n + row]
                    coordinates[row * kept + index] = share * length
                    Arithmetic.add(rows, row * width, times: share / length, to: &direction)
                }
                basis.append(direction)
            }
            (self.coordinates, dimension, self.basis) = (coordinates, kept, basis)
        }

        /// Returns the vector in the rows' own space, [width], whose coordinates in the basis of their span are
        /// `weights`.
        func vector(_ weights: [Double]) -> [Double] {
            guard let basis, let width = basis.first?.count else { return weights }
            var result = [Double](repeating: 0, count: width)
            for (weight, direction) in zip(weights, basis) { Arithmetic.add(direction, 0, times: weight, to: &result) }
            return result
        }
    }
}
