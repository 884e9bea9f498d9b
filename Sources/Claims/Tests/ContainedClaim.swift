import Directions
import Geometry
import Provenance
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that R, the directions that tuning added, lies inside M, the manifold of activations: in the principal
/// subspace of other prompts' activations.
struct ContainedClaim: ClaimTest {
    let name = "contained"
    let summary = "R in the principal space of other prompts, beside topics: contain"

    func statement(_ options: ClaimsRun.Options) -> String { "R lies inside M" }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let directions = try evidence.directions()
        let (prompts, seed) = (evidence.prompts, evidence.options.seed)
        guard let subspace = directions.subspace else {
            return Claim(
                .notDistinguishable, because: "no direction stands out of what prompts of one class differ by")
        }
        let set = try prompts.anything(heldOut: true, atMost: ClaimEvidence.containmentPrompts, seed: seed)
        let apart = Set(
            try [ClaimPrompts.Role.forbidden, .plain].flatMap { role in
                try prompts.found(role, .max, seed).prompts.map(\.text)
            })
        let kept = PromptSet(
            source: set.source, prompts: set.prompts.filter { !apart.contains($0.text) }, isChat: set.isChat)
        guard !kept.prompts.isEmpty else { throw ClaimsError.nothingHeldOut }
        let site = directions.search.site
        let points = Points(
            name: site.fullName, matrix: try evidence.lastRows(kept, [site])[0], rounding: nil,
            input: Recipe.Input(name: kept.source, sha256: ""))
        let found = try ContainmentRun(
            context: evidence.context, subspace: subspace, source: PointSource(points), apart: []
        ).run()
        let level = found.measurement.levels[0]
        let half = level.spread.map { Proportion.z95 * $0 }
        let topics = level.topics
        return Claim(
            measure: "C, of R in the first \(level.dimensions) directions of M (\(level.name))",
            value: half.map { .init(level.value, low: max(0, level.value - $0), high: min(1, level.value + $0)) }
                ?? .init(level.value),
            null: .init(topics.quantile(0.5), low: topics.quantile(0.05), high: topics.quantile(0.95)),
            level.isContained ? .supported : .notSupported,
            because: (level.isContained
                ? "contained, as any direction is that prompts differ along"
                : "partly outside: 1 - C = \(NumberFormat.significant(1 - level.value))")
                + "; noise \(NumberFormat.significant(level.noise.quantile(0.5))), chance"
                + " \(NumberFormat.significant(level.haar.mean))", study: .init("contain", ["R", "M"]))
    }
}
