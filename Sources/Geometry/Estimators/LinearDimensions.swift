#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Counts of dimensions that a spectrum gives by itself, from eigenvalues λ of a covariance or of a matrix's Gram matrix
/// (σ = √λ are then the matrix's singular values).
package struct LinearDimensions: Sendable, Equatable {
    /// (Σλ)² / Σλ².
    package let participationRatio: Double
    /// exp(-Σ p ln p), p = λ/Σλ.
    package let effectiveRank: Double
    /// exp(-Σ p ln p), p = σ/Σσ (Roy and Vetterli 2007, EUSIPCO).
    package let effectiveRankOfSingularValues: Double
    /// Σλ / λ1 (Rudelson and Vershynin 2007).
    package let stableRank: Double
    /// The fewest components that hold 90, 95 and 99 % of Σλ.
    package let d90: Int
    package let d95: Int
    package let d99: Int
    /// λ above `tolerance` · λ1.
    package let numericalRank: Int

    /// - Parameters:
    ///   - eigenvalues: largest first. Those below 0 by no more than rounding leaves, -1e-9 λ1, count as 0.
    ///   - tolerance: smallest λ/λ1 that counts towards the numerical rank; count · 2^-52, what a symmetric eigenvalue
    ///     solver in float64 resolves, if nil.
    /// - Throws: `GeometryError` for no eigenvalues, NaN, eigenvalues out of order, and if all are 0.
    package init(eigenvalues: [Double], tolerance: Double? = nil) throws {
        guard let largest = eigenvalues.first else { throw GeometryError.tooFewPoints(found: 0, needed: 2) }
        // In units of the largest nothing overflows.
        let unit = largest > 0 && largest.isFinite ? largest : 1
        let scaled = eigenvalues.map { $0 < 0 && $0 >= -1e-9 * unit ? 0 : $0 / unit }
        let total = try checkedTotal(ofEigenvalues: scaled)
        participationRatio = total * total / scaled.reduce(0) { $0 + $1 * $1 }
        stableRank = total
        effectiveRank = Self.exponentialOfEntropy(scaled)
        effectiveRankOfSingularValues = Self.exponentialOfEntropy(scaled.map { $0.squareRoot() })
        let threshold = tolerance ?? Double(eigenvalues.count) * Double.ulpOfOne
        numericalRank = scaled.count { $0 > threshold }
        func holding(_ share: Double) -> Int {
            var sum = 0.0
            for (index, value) in scaled.enumerated() {
                sum += value
                if sum / total >= share { return index + 1 }
            }
            return scaled.count
        }
        d90 = holding(0.90)
        d95 = holding(0.95)
        d99 = holding(0.99)
    }

    private static func exponentialOfEntropy(_ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        var entropy = 0.0
        for weight in weights where weight > 0 {
            let share = weight / total
            if share > 0 { entropy -= share * log(share) }
        }
        return exp(entropy)
    }
}
