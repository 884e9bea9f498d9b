import Geometry
import Sites
import Statistics
import TerminalText

/// The claim that M, the essay's manifold of activations, has the claimed dimension.
struct DimensionClaim: ClaimTest {
    let name = "dimension"
    let summary = "M after the middle layer, of all prompts but the forbidden: manifold"

    func statement(_ options: ClaimsRun.Options) -> String {
        "activations lie on a manifold M of \(Claim.text(options.dimensions)) dimensions"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let claimed = evidence.options.dimensions
        let found = try evidence.manifold()
        let finding = found.finding(on: claimed)
        let reason =
            switch finding {
            case .curved: "inside \(Claim.text(claimed)), and curved"
            case .linear: "inside \(Claim.text(claimed)), a linear subspace"
            case .open: "the interval reaches \(Claim.text(claimed)), the estimate does not"
            case .noise: "as independent Gaussian coordinates would be"
            case .outside:
                Double(found.width) < claimed.lowerBound
                    ? "the model is only \(found.width) wide" : "outside \(Claim.text(claimed))"
            }
        let few = found.count < 2000 ? "; \(found.count) distinct points are fewer than the 2,000 that are wanted" : ""
        return Claim(
            measure: "dimension at \(try evidence.manifoldSite().shortName), calibrated",
            value: .init(found.estimate.value, found.estimate.interval),
            null: found.noise[.participationRatio].map { .init($0) }, finding.verdict, because: reason + few,
            study: try evidence.manifoldStudy())
    }
}
