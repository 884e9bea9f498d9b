import Control
import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The logistic regression whose weights w and intercept b minimise -Σ ln p(label) + λ |w|² / 2 (λ is the L2 penalty),
/// by Newton's method with conjugate gradients: iteratively reweighted least squares. (Lin, Weng and Keerthi 2008, J.
/// Mach. Learn. Res. 9.)
struct LogisticFit {
    /// The fitted weights w of the logistic regression, [width].
    let weights: [Double]
    let intercept: Double
    /// The number of Newton steps that the logistic fit took.
    let steps: Int

    /// - Parameters:
    ///   - lambda: the L2 penalty λ on the weights.
    ///   - scale: the value of the constant column that stands for the intercept, so that it is as long as the rows
    ///     are.
    /// - Throws: `CancellationError`.
    init(_ rows: LabelledRows, lambda: Double, scale: Double, control: RunControl) throws {
        let problem = Problem(rows: rows, lambda: lambda, scale: scale)
        // The point is [width + 1], with the intercept over its scale last.
        var point = [Double](repeating: 0, count: rows.width + 1)
        point[rows.width] = log(Double(rows.positives) / Double(rows.negatives)) / scale
        var logits = problem.logits(point)
        var loss = problem.loss(logits, point)
        var first = 0.0
        var steps = 0
        while steps < 100 {
            try control.checkCancellation()
            let gradient = problem.gradient(logits, point)
            let length = Arithmetic.norm(gradient)
            if steps == 0 { first = length }
            guard length > 1e-9 * first, length > 0 else { break }
            let step = problem.newtonStep(
                logits, gradient, tolerance: min(0.1, (length / first).squareRoot()) * length)
            let slope = Arithmetic.dot(gradient, 0, step)
            var size = 1.0
            var moved = false
            // The step is halved until the loss falls as far as the slope promises (Armijo 1966).
            while size > 1e-8 {
                let trial = zip(point, step).map { $0 + size * $1 }
                let trialLogits = problem.logits(trial)
                let trialLoss = problem.loss(trialLogits, trial)
                if trialLoss <= loss + 1e-4 * size * slope {
                    (point, logits, loss) = (trial, trialLogits, trialLoss)
                    moved = true
                    break
                }
                size /= 2
            }
            steps += 1
            // No step lowers the loss any more: it is as low as rounding allows.
            if !moved { break }
        }
        weights = Array(point.dropLast())
        intercept = point[rows.width] * scale
        self.steps = steps
    }

    private struct Problem {
        let rows: LabelledRows
        let lambda: Double
        let scale: Double
        private var width: Int { rows.width }

        init(rows: LabelledRows, lambda: Double, scale: Double) {
            self.rows = rows
            self.lambda = lambda
            self.scale = scale
        }

        func logits(_ point: [Double]) -> [Double] {
            let weights = Array(point.prefix(width))
            return rows.projections(on: weights).map { $0 + point[width] * scale }
        }

        func loss(_ logits: [Double], _ point: [Double]) -> Double {
            var total = 0.0
            for (row, logit) in logits.enumerated() {
                let margin = rows.isPositive(row) ? logit : -logit
                total += max(0, -margin) + log1p(exp(-abs(margin)))
            }
            let weights = point.dropLast()
            return total + lambda / 2 * weights.reduce(0) { $0 + $1 * $1 }
        }

        func gradient(_ logits: [Double], _ point: [Double]) -> [Double] {
            combine(
                logits.enumerated().map { 1 / (1 + exp(-$1)) - (rows.isPositive($0) ? 1 : 0) }, lambdaTimes: point)
        }

        /// Returns the sum of the rows, each times its factor, plus λ (the L2 penalty) times the weights w, [width];
        /// the last number, for the intercept, is the sum of the factors times `scale`, without a penalty.
        private func combine(_ factors: [Double], lambdaTimes point: [Double]) -> [Double] {
            var sum = [Double](repeating: 0, count: width)
            for row in 0..<rows.count { Arithmetic.add(rows.values, row * width, times: factors[row], to: &sum) }
            for column in 0..<width { sum[column] += lambda * point[column] }
            sum.append(factors.reduce(0, +) * scale)
            return sum
        }

        /// Returns the Newton step d with |H d + gradient| <= tolerance, where H is the loss's second derivative, by
        /// conjugate gradients. (Hestenes and Stiefel 1952.)
        func newtonStep(_ logits: [Double], _ gradient: [Double], tolerance: Double) -> [Double] {
            let curvature = logits.map { logit in
                let p = 1 / (1 + exp(-logit))
                return p * (1 - p)
            }
            var step = [Double](repeating: 0, count: width + 1)
            var residual = gradient.map { -$0 }
            var direction = residual
            var square = Arithmetic.dot(residual, 0, residual)
            for _ in 0..<2 * (width + 1) where square.squareRoot() > tolerance {
                let along = self.logits(direction)
                let image = combine(zip(curvature, along).map { $0 * $1 }, lambdaTimes: direction)
                let bend = Arithmetic.dot(direction, 0, image)
                guard bend > 0 else { break }
                let size = square / bend
                Arithmetic.add(direction, 0, times: size, to: &step)
                Arithmetic.add(image, 0, times: -size, to: &residual)
                let next = Arithmetic.dot(residual, 0, residual)
                let ratio = next / square
                for index in direction.indices { direction[index] = residual[index] + ratio * direction[index] }
                square = next
            }
            return step
        }
    }
}
