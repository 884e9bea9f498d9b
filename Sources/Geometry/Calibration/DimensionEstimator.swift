/// What a profile measures of a point set, each with one number.
package enum DimensionEstimator: Hashable, Sendable {
    /// Local PCA: mean over patches of a rule on their eigenvalues.
    case localPCA(k: Int, rule: LocalPCARule = .fukunagaOlsen())
    /// The same rule on the eigenvalues of the whole set.
    case principalComponents(rule: LocalPCARule)
    /// Debiased participation ratio of patches, pooled.
    case localParticipationRatio(k: Int)
    /// Expected simplex skewness, mean over patches.
    case simplexSkewness(k: Int)
    case maximumLikelihood(k: Int)
    /// The slope, the largest tenth of the ratios left out.
    case twoNN
    /// Its maximum likelihood form.
    case twoNNLikelihood
    case gride(near: Int)
    /// skdim's CorrInt.
    case correlation(near: Int, far: Int)
    /// Grassberger and Procaccia's slope.
    case correlationSlope
    /// Full correlation of the whole set.
    case fullCorrelation
    /// Debiased participation ratio of the whole set.
    case participationRatio
    /// The fewest principal components that hold 99 % of the variance.
    case d99

    /// Those that are calibrated, in the order of the default table, local PCA first.
    package static let calibrated: [DimensionEstimator] =
        [.localPCA(k: 100)]
        + [25, 50, 100, 300].map { .localParticipationRatio(k: $0) }
        + [25, 100].map { .simplexSkewness(k: $0) }
        + [.twoNN] + [2, 4, 8, 16, 32, 64].map { .gride(near: $0) }
        + [.maximumLikelihood(k: 20), .fullCorrelation, .participationRatio, .d99]

    /// All, with their usual options.
    package static let all: [DimensionEstimator] =
        LocalPCARule.all.map { .localPCA(k: 100, rule: $0) }
        + LocalPCARule.all.map { .principalComponents(rule: $0) }
        + calibrated.dropFirst() + [.twoNNLikelihood, .correlation(near: 10, far: 20), .correlationSlope]

    /// Short, without blanks: for options, files and tables.
    package var name: String {
        switch self {
        case .localPCA(let k, .fukunagaOlsen): "lPCA\(k)"
        case .localPCA(let k, let rule): "lPCA\(k)-\(rule.word)"
        case .principalComponents(let rule): "PCA-\(rule.word)"
        case .localParticipationRatio(let k): "lPR\(k)"
        case .simplexSkewness(let k): "ESS\(k)"
        case .maximumLikelihood(let k): "MLE\(k)"
        case .twoNN: "TwoNN"
        case .twoNNLikelihood: "TwoNN-ML"
        case .gride(let near): "GRIDE\(near)"
        case .correlation: "CorrInt"
        case .correlationSlope: "D2"
        case .fullCorrelation: "FCI"
        case .participationRatio: "PR"
        case .d99: "d99"
        }
    }

    /// Reads a name in any case: `TwoNN`, `lPCA50-Fan`, `lPR`.
    ///
    /// - Parameter k: neighbours where the name says none.
    /// - Returns: nil for what is none, or for a number that is too small to be one of neighbours.
    package init?(name: String, k: Int?) {
        let parts = name.lowercased().split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let letters = parts[0] == "d2" ? "d2" : parts[0].prefix { !$0.isNumber }
        let digits = parts[0].dropFirst(letters.count)
        guard digits.isEmpty || Int(digits) != nil else { return nil }
        let number = Int(digits)
        let rule = parts.count == 2 ? LocalPCARule.all.first { $0.word.lowercased() == parts[1] } : nil
        let isRuled = parts.count == 2
        let most = 10_000
        func neighbours(_ usual: Int, least: Int) -> Int? {
            let count = number ?? k ?? usual
            return (least...most).contains(count) ? count : nil
        }
        switch letters {
        case "lpca":
            guard let count = neighbours(100, least: 3), !isRuled || rule != nil else { return nil }
            self = .localPCA(k: count, rule: rule ?? .fukunagaOlsen())
        case "pca":
            guard digits.isEmpty, let rule else { return nil }
            self = .principalComponents(rule: rule)
        case "twonn" where digits.isEmpty && (!isRuled || parts[1] == "ml"):
            self = isRuled ? .twoNNLikelihood : .twoNN
        case _ where isRuled: return nil
        case "lpr":
            guard let count = neighbours(100, least: 4) else { return nil }
            self = .localParticipationRatio(k: count)
        case "ess":
            guard let count = neighbours(100, least: 3) else { return nil }
            self = .simplexSkewness(k: count)
        case "mle":
            guard let count = neighbours(20, least: 2) else { return nil }
            self = .maximumLikelihood(k: count)
        case "gride":
            let near = number ?? (k ?? 4) / 2
            guard (1...most / 2).contains(near) else { return nil }
            self = .gride(near: near)
        case "corrint" where digits.isEmpty: self = .correlation(near: 10, far: 20)
        case "d2" where digits.isEmpty: self = .correlationSlope
        case "fci" where digits.isEmpty: self = .fullCorrelation
        case "pr" where digits.isEmpty: self = .participationRatio
        case "d" where digits == "99": self = .d99
        default: return nil
        }
    }

    /// For people.
    package var title: String {
        switch self {
        case .localPCA(let k, let rule): "local PCA (\(rule.name)), k = \(k)"
        case .principalComponents(let rule): "PCA (\(rule.name)), whole set"
        case .localParticipationRatio(let k): "local participation ratio, k = \(k)"
        case .simplexSkewness(let k): "simplex skewness (ESS), k = \(k)"
        case .maximumLikelihood(let k): "maximum likelihood, k = \(k)"
        case .twoNN: "TwoNN"
        case .twoNNLikelihood: "TwoNN, maximum likelihood"
        case .gride(let near): "GRIDE, ranks \(near) and \(2 * near)"
        case .correlation(let near, let far): "correlation integral, ranks \(near) and \(far)"
        case .correlationSlope: "correlation dimension, slope"
        case .fullCorrelation: "full correlation (FCI), whole set"
        case .participationRatio: "participation ratio, whole set"
        case .d99: "99 % of the variance, whole set"
        }
    }

    /// Neighbours of each point that it needs; 0: it reads the whole set.
    package var neighbours: Int {
        switch self {
        case .localPCA(let k, _), .localParticipationRatio(let k), .simplexSkewness(let k), .maximumLikelihood(let k): k
        case .twoNN, .twoNNLikelihood: 2
        case .gride(let near): 2 * near
        case .correlation(_, let far): far
        case .correlationSlope, .fullCorrelation, .participationRatio, .d99, .principalComponents: 0
        }
    }

    /// The largest number that it can give: a patch of k points spans k - 1 dimensions.
    package var cap: Int? {
        switch self {
        case .localPCA(let k, _): k - 1
        default: nil
        }
    }

    /// Whether a number lies so near the cap that it says only "many".
    package func isCapped(_ raw: Double) -> Bool { cap.map { raw > Double($0) / 2.5 } ?? false }

    /// Whether it reads patches' inner products, rather than distances or the whole set.
    package var readsPatches: Bool {
        switch self {
        case .localPCA, .localParticipationRatio, .simplexSkewness: true
        default: false
        }
    }

    /// Whether it reads the spectrum of the whole set's covariance.
    var readsSpectrum: Bool {
        switch self {
        case .participationRatio, .d99, .principalComponents: true
        default: false
        }
    }
}

extension LocalPCARule {
    /// The name without blanks.
    package var word: String { name.filter { $0 != " " } }
}
