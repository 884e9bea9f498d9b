import LinearAlgebra
import Models
package import Sites
package import Workbench

/// A way from one checkpoint to another, along which a number λ goes from 0 to 1.
package enum CheckpointPath {
    /// θ(λ) = (1 - λ) A + λ B.
    case weights
    /// A, whose residual stream at a site becomes (1 - λ) its own + λ B's.
    case activations(Site)
    /// B without so much of some directions: h <- h - λ R'R h at the sites.
    case ablation(Subspace, sites: [Site])

    package enum Kind: String, CaseIterable {
        case weights, activations, ablation
    }

    package var kind: Kind {
        switch self {
        case .weights: .weights
        case .activations: .activations
        case .ablation: .ablation
        }
    }

    /// 0, 0.1, ... 1; for ablation to 1.5, which is beyond what takes the directions out.
    package static func points(_ kind: Kind) -> [Double] { (0...(kind == .ablation ? 15 : 10)).map { Double($0) / 10 } }
}
