import Directions
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that R, the directions that tuning added (the essay's basin), has the claimed dimension: the number of
/// directions that stand out from contrasts, which are differences within a class of prompts.
struct BasinDimensionClaim: ClaimTest {
    let name = "basin-dimension"
    let summary = "directions of TUNED - BASE on forbidden prompts beyond contrasts: subspace"

    func statement(_ options: ClaimsRun.Options) -> String {
        "tuning digs a basin R of \(Claim.text(options.basin)) dimensions"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let found = try evidence.directions()
        let (search, ranks) = (found.search, found.halves)
        let rank = search.dimension
        let range = min(rank, ranks.min() ?? rank)...max(rank, ranks.max() ?? rank)
        let claimed = evidence.options.basin
        let isWhole = claimed.contains(Double(range.lowerBound)) && claimed.contains(Double(range.upperBound))
        let isOutside = Double(range.upperBound) < claimed.lowerBound || Double(range.lowerBound) > claimed.upperBound
        let verdict: Verdict =
            rank == 0
            ? .notDistinguishable
            : search.null.endedAtLimit || isOutside ? .notSupported : isWhole ? .supported : .notDistinguishable
        let strength = search.null.steps.first?.signalToNoise.map {
            ", the first with \(Claim.text($0)) times the noise's energy"
        }
        return Claim(
            measure:
                "directions of \(evidence.tuned.name) - \(evidence.base.name) beyond contrasts, \(search.site.shortName)",
            value: .init(Double(rank), Double(range.lowerBound)...Double(range.upperBound)), null: .init(0), verdict,
            because: rank == 0
                ? "no direction stands out of what prompts of one class differ by"
                : (search.null.endedAtLimit ? "at least " : "") + counted(rank, "direction") + (strength ?? "")
                    + "; the range is that of \(ranks.count) halves",
            study: .init("subspace", ["FORBIDDEN", "PLAIN"], settings: ["base": evidence.base.name]))
    }
}
