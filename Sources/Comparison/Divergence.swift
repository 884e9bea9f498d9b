#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The divergence between two models' (A's and B's) next-token distributions at one position, in nats and in float64.
///
/// With p = softmax(A's logits), q = softmax(B's), m = (p + q) / 2: KL(A‖B) = Σ p ln(p/q) (Kullback and Leibler 1951),
/// JS = ½ Σ p ln(p/m) + ½ Σ q ln(q/m) (Lin 1991, eq. 4.1 with equal weights). All are exactly 0 if the logits have the
/// same bits, and never negative: a rounding error below 0 is taken as 0.
package struct Divergence: Sendable, Equatable {
    /// The Kullback-Leibler divergence KL(A‖B) = Σ p ln(p/q), in nats, of A's probabilities p from B's, q.
    package let forward: Double
    /// The Kullback-Leibler divergence KL(B‖A) = Σ q ln(q/p), in nats, of B's probabilities q from A's, p.
    package let reverse: Double
    /// The Jensen-Shannon divergence between A's and B's distributions, in nats; at most ln 2.
    package let jensenShannon: Double
    /// The entropy of A's distribution p over the next token, -Σ p ln p, in nats.
    package let entropy: Double
    /// The ids of the likeliest next tokens of A and of B; of equally likely ones the smaller id.
    package let top: Pair<Int>
    /// A's and B's predictions for the token that really follows; nil if no token follows.
    package let next: Next?

    /// One quantity of two models: A's value and B's.
    package struct Pair<Value: Sendable & Equatable>: Sendable, Equatable {
        package let a: Value
        package let b: Value
    }

    /// A's and B's predictions for the token that really follows.
    package struct Next: Sendable, Equatable {
        package let token: Int
        /// The cross-entropies of A and of B: -ln of the probability that each gives the token, in nats.
        package let loss: Pair<Double>

        /// The probability that B gives to the token that really follows, minus the probability that A gives to it.
        package var probabilityChange: Double { exp(-loss.b) - exp(-loss.a) }
    }

    /// Whether A and B have the same likeliest next token.
    package var agrees: Bool { top.a == top.b }

    /// Compares the next-token distributions of two models at one position.
    ///
    /// - Parameters:
    ///   - a: A's logits, [vocabulary], finite.
    ///   - b: B's logits, [vocabulary], finite.
    ///   - next: the token that follows, within the vocabulary; nil if none does.
    package init(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>, next: Int?) {
        precondition(a.count == b.count && !a.isEmpty, "\(a.count) and \(b.count) logits")
        let count = a.count
        let top = Pair(a: Self.largest(a), b: Self.largest(b))
        let (peakA, peakB) = (Double(a[top.a]), Double(b[top.b]))
        self.top = top
        (forward, reverse, jensenShannon, entropy, self.next) = withUnsafeTemporaryAllocation(
            of: Double.self, capacity: 2 * count
        ) { buffer in
            let p = buffer.baseAddress!
            let q = p + count
            var totalA = 0.0
            var totalB = 0.0
            for id in 0..<count {
                let (x, y) = (exp(Double(a[id]) - peakA), exp(Double(b[id]) - peakB))
                (p + id).initialize(to: x)
                (q + id).initialize(to: y)
                totalA += x
                totalB += y
            }
            let (logA, logB) = (log(totalA), log(totalB))
            let (scaleA, scaleB) = (1 / totalA, 1 / totalB)
            var forward = 0.0
            var reverse = 0.0
            var joint = 0.0
            var entropy = 0.0
            for id in 0..<count {
                let (x, y) = (p[id] * scaleA, q[id] * scaleB)
                let (logX, logY) = (Double(a[id]) - peakA - logA, Double(b[id]) - peakB - logB)
                entropy -= x * logX
                let gap = logX - logY
                forward += x * gap
                reverse -= y * gap
                // Where p = q both terms of JS are 0, but their logarithms would give that only up to rounding.
                let sum = x + y
                // Half of the smallest number above 0 would be 0, so the logarithm is halved instead.
                if gap != 0, sum > 0 { joint += x * logX + y * logY - sum * (log(sum) - Self.ln2) }
            }
            let next = next.map { token in
                Next(token: token, loss: Pair(a: peakA + logA - Double(a[token]), b: peakB + logB - Double(b[token])))
            }
            return (max(0, forward), max(0, reverse), max(0, joint / 2), max(0, entropy), next)
        }
    }

    private static let ln2 = log(2.0)

    private static func largest(_ logits: UnsafeBufferPointer<Float>) -> Int {
        var best = 0
        for id in 1..<logits.count where logits[id] > logits[best] { best = id }
        return best
    }
}
