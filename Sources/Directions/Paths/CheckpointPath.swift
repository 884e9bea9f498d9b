import LinearAlgebra
import Models
package import Sites
package import Workbench

/// A path from one checkpoint to another, along which a number λ goes from 0 to 1.
package enum CheckpointPath {
    /// The weights are θ(λ) = (1 - λ) A + λ B.
    case weights
    /// The model is A, but its residual stream at a site (a named place in the model) becomes (1 - λ) its own + λ B's.
    case activations(Site)
    /// The model is B, with a share λ of some directions taken out: h <- h - λ R'R h at the sites.
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

    /// Returns the default points: 0, 0.1, ... 1; for ablation up to 1.5, which goes beyond removing the directions.
    package static func points(_ kind: Kind) -> [Double] { (0...(kind == .ablation ? 15 : 10)).map { Double($0) / 10 } }
}
