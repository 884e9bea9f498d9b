/// What a profile measures of a point set, each with one number that can be calibrated.
package enum DimensionEstimator: Hashable, Sendable, Codable {
    /// Local PCA: mean over patches of the eigenvalues above 0.05 of the largest (Fukunaga and Olsen's rule).
    case localPCA(k: Int)
    /// Debiased participation ratio of patches, pooled.
    case localParticipationRatio(k: Int)
    /// Expected simplex skewness, mean over patches.
    case simplexSkewness(k: Int)
    case maximumLikelihood(k: Int)
    case twoNN
    case gride(near: Int)
    /// Full correlation of the whole set.
    case fullCorrelation
    /// Debiased participation ratio of the whole set.
    case participationRatio
    /// The fewest principal components that hold 99 % of the variance.
    case d99

    /// In the order of the default table, local PCA first.
    package static let all: [DimensionEstimator] =
        [.localPCA(k: 100)]
        + [25, 50, 100, 300].map { .localParticipationRatio(k: $0) }
        + [25, 100].map { .simplexSkewness(k: $0) }
        + [.twoNN] + [2, 4, 8, 16, 32, 64].map { .gride(near: $0) }
        + [.maximumLikelihood(k: 20), .fullCorrelation, .participationRatio, .d99]

    /// Short, without blanks: for options, files and tables.
    package var name: String {
        switch self {
        case .localPCA(let k): "lPCA\(k)"
        case .localParticipationRatio(let k): "lPR\(k)"
        case .simplexSkewness(let k): "ESS\(k)"
        case .maximumLikelihood(let k): "MLE\(k)"
        case .twoNN: "TwoNN"
        case .gride(let near): "GRIDE\(near)"
        case .fullCorrelation: "FCI"
        case .participationRatio: "PR"
        case .d99: "d99"
        }
    }

    /// For people.
    package var title: String {
        switch self {
        case .localPCA(let k): "local PCA (FO), k = \(k)"
        case .localParticipationRatio(let k): "local participation ratio, k = \(k)"
        case .simplexSkewness(let k): "simplex skewness (ESS), k = \(k)"
        case .maximumLikelihood(let k): "maximum likelihood, k = \(k)"
        case .twoNN: "TwoNN"
        case .gride(let near): "GRIDE, ranks \(near) and \(2 * near)"
        case .fullCorrelation: "full correlation (FCI), all pairs"
        case .participationRatio: "participation ratio, whole set"
        case .d99: "99 % of the variance, whole set"
        }
    }

    /// Neighbours of each point that it needs; 0: it reads the whole set.
    package var neighbours: Int {
        switch self {
        case .localPCA(let k), .localParticipationRatio(let k), .simplexSkewness(let k), .maximumLikelihood(let k): k
        case .twoNN: 2
        case .gride(let near): 2 * near
        case .fullCorrelation, .participationRatio, .d99: 0
        }
    }

    /// Whether it reads patches' inner products, rather than distances or the whole set.
    package var readsPatches: Bool {
        switch self {
        case .localPCA, .localParticipationRatio, .simplexSkewness: true
        default: false
        }
    }
}
