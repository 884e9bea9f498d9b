import Geometry
import Sites
import Statistics

/// The claim that M, the essay's manifold of activations, is curved: not a linear space.
struct CurvedClaim: ClaimTest {
    let name = "curved"
    let summary = "the same points beside a Gaussian of their covariance: manifold"

    func statement(_ options: ClaimsRun.Options) -> String {
        "M is curved: of fewer dimensions than the linear space that it fills"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let found = try evidence.manifold()
        let judged: (verdict: Verdict, reason: String) =
            switch found.structure {
            case .curved: (.supported, "points lie closer together than a Gaussian of their covariance would")
            case .linear: (.notSupported, "a Gaussian of the same covariance looks alike")
            case .noise: (.notDistinguishable, "as independent Gaussian coordinates would be")
            }
        return Claim(
            measure: "TwoNN over a Gaussian's of the same covariance, \(try evidence.manifoldSite().shortName)",
            value: .init(found.surrogate.ratio),
            null: .init(found.surrogate.nullRatio, found.surrogate.nullSpread), judged.verdict, because: judged.reason,
            study: try evidence.manifoldStudy())
    }
}

extension ClaimEvidence {
    /// Returns the study that shows the dimension of M, the manifold of activations, in full.
    func manifoldStudy() throws -> Claim.Study {
        .init(
            "manifold", ["CAPTURE"],
            inputs: [.init("capture", [try manifoldSite().shortName], settings: ["at": "last"])])
    }
}
