import Directions
import Sites
import Statistics
import Workbench

/// The claim that the tuned behaviour depends on the claimed number of directions of R, the directions that tuning
/// added: as many have to be removed before it disappears.
struct CausalClaim: ClaimTest {
    let name = "causal"
    let summary = "the fewest of them without which the behaviour is at its base rate: curve"

    func statement(_ options: ClaimsRun.Options) -> String {
        "the behaviour hangs on \(Claim.text(options.basin)) directions of R"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let found = try evidence.directions()
        let prompts = evidence.prompts
        func claim(_ value: Estimate?, _ verdict: Verdict, _ reason: String) -> Claim {
            Claim(
                measure: "fewest first directions without which the behaviour is at its base rate,"
                    + " \(found.search.site.shortName)", value: value, verdict,
                because: reason + (prompts.hasHeldOut(.forbidden) ? "" : "; R was found on the same prompts"),
                study: .init(
                    "curve", ["R", "FORBIDDEN"],
                    settings: ["neutral": "PLAIN", "markers": "\(prompts.folder)/refusals.txt"]))
        }
        let behaviour = try evidence.behaviour()
        guard let subspace = found.subspace else {
            return claim(nil, .notDistinguishable, "no direction stands out of what prompts of one class differ by")
        }
        let set = try evidence.behaviourSet(.forbidden, isHeldOut: true)
        let plain = try behaviour.rates(
            evidence.behaviourSet(.plain, isHeldOut: true), evidence.tuned.checkpoint.edits.active)
        let alone = try evidence.ablationCurve(subspace, Array(1...subspace.dimension), on: set, controls: 0)
        guard let before = alone.before.matched, let neutral = plain?.matched else { throw ClaimsError.noReplies }
        switch alone.causal(base: neutral) {
        case nil:
            let least = alone.points.compactMap { $0.rates.matched?.value }.min()
            return claim(
                nil, .notSupported,
                "the rate stays above that of plain prompts without all \(subspace.dimension): \(Claim.text(least)),"
                    + " \(Claim.text(before.value)) before")
        case 0?:
            return Claim(
                .notTestable,
                because: "\(evidence.tuned.name) shows no such behaviour: \(Claim.text(before.value)) of the forbidden"
                    + " prompts, \(Claim.text(neutral.value)) of plain ones")
        case let k?:
            let controlled = try evidence.ablationCurve(subspace, [Int(k)], on: set, controls: 20)
            let random = controlled.points[0].random.compactMap { $0.matched?.value }.sorted()
            let after = controlled.points[0].rates.matched?.value ?? 0
            // With 20 random controls, chance alone makes this rate the lowest of the 21 once in 21 times.
            let isBelow = random.allSatisfy { $0 > after }
            let isInside = evidence.options.basin.contains(k)
            let taken = k == 1 ? "the first" : "the first \(Claim.text(k))"
            return claim(
                .init(k), !isBelow ? .notDistinguishable : isInside ? .supported : .notSupported,
                "\(Claim.text(before.value)) before, \(Claim.text(after)) without \(taken),"
                    + " \(Claim.text(Estimate(medianOf: random))) without as many random ones")
        }
    }
}
