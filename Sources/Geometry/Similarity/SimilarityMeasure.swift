/// How two sets of paired rows can be compared.
package enum SimilarityMeasure: String, Sendable, CaseIterable {
    /// Debiased linear CKA.
    case cka
    /// The same without each set's three coordinates of largest variance.
    case ckaWithoutRogue
    case svcca
    case pwcca
    /// Orthogonal Procrustes distance.
    case procrustes
    /// Spearman's correlation of correlation distances.
    case rsa
    /// |X - Y|_F / |X|_F, nothing centred.
    case relativeDistance
    /// Mean cosine of paired rows, nothing centred.
    case cosine

    /// What the measure can be.
    package var range: ClosedRange<Double> {
        switch self {
        case .cka, .ckaWithoutRogue, .rsa, .cosine: -1...1
        case .svcca, .pwcca: 0...1
        case .procrustes: 0...2
        case .relativeDistance: 0 ... .infinity
        }
    }

    /// Whether it needs both sets in the same coordinates, or as many of them.
    package var needsOneWidth: Bool { [.procrustes, .relativeDistance, .cosine].contains(self) }
}

/// What a measure says of two sets of paired rows.
package struct MeasuredSimilarity: Sendable, Equatable {
    package let value: Double
    /// Its standard error, from halves of the rows; nil where it was not resampled.
    package let spread: Double?
    /// The mean over rows paired at random: what unrelated sets give. Nil where it was not drawn.
    package let floor: Double?
}
