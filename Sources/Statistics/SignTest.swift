#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The sign test of whether changes go one way more often than by chance. (McNemar 1947; exact, by the binomial
/// distribution.)
package enum SignTest {
    /// Returns the sign test's two-sided p value for `a` changes one way and `b` the other; 1 if there are none.
    package static func p(_ a: Int, _ b: Int) -> Double {
        precondition(a >= 0 && b >= 0, "counts")
        let n = Double(a + b)
        guard n > 0, a != b else { return 1 }
        // C(n, k) / 2^n is computed by its logarithm, because neither then overflows.
        let whole = lgamma(n + 1) - n * log(2.0)
        let tail = (0...min(a, b)).reduce(0.0) { sum, k in
            sum + exp(whole - lgamma(Double(k) + 1) - lgamma(n - Double(k) + 1))
        }
        return min(1, 2 * tail)
    }
}
