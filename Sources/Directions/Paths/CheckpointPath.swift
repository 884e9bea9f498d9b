import LinearAlgebra
import Models
package import Sites
package import Workbench

/// A path from checkpoint A to checkpoint B, along which a number λ goes from 0 to 1.
package enum CheckpointPath {
    /// The model's weights at λ are (1 - λ) times A's plus λ times B's.
    case weights
    /// The model is A, but its residual stream at a site (a named place in the model) becomes (1 - λ) its own + λ B's.
    case activations(Site)
    /// The model is B, with a share λ of some directions (rows of R, orthonormal) taken out of the residual stream h at
    /// the sites: h <- h - λ R'R h.
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

    /// Returns the default values of λ along a path: 0, 0.1, ... 1; for ablation up to 1.5, which goes beyond removing
    /// the directions.
    package static func points(_ kind: Kind) -> [Double] { (0...(kind == .ablation ? 15 : 10)).map { Double($0) / 10 } }
}
