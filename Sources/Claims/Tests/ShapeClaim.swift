import Comparison
import Geometry
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that the dimensions and geometry of activations are equivalent before and after the tuning.
struct ShapeClaim: ClaimTest {
    let name = "shape"
    let summary = "equivalence of dimensions and geometry before and after: compare geometry"

    func statement(_ options: ClaimsRun.Options) -> String { "tuning leaves the shape of M as it was" }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let set = try evidence.prompts.measured(.open, ClaimEvidence.directionPrompts, evidence.options.seed)
        let activations = try PairedActivations(
            evidence.pair, set, sites: nil, at: .last, choices: evidence.options.choices, in: evidence.context)
        let sites = try activations.shapes(in: evidence.context)
        let measured = sites.compactMap { site in site.measurement.map { (site.site, $0) } }
        let unchanged = measured.count { $0.1.finding == .unchanged }
        let changed = measured.count { $0.1.finding == .changed }
        func ratio(_ found: ShapeMeasurement) -> ShapeMeasurement.Dimension? {
            found.dimensions.first { $0.name == "PR" }
        }
        let most = measured.max { abs(ratio($0.1)?.logRatio ?? 0) < abs(ratio($1.1)?.logRatio ?? 0) }
        guard let (place, found) = most, let dimension = ratio(found) else { throw ClaimsError.noDimension }
        let half = dimension.ratioSpread.map { ShapeMeasurement.z * $0 }
        let alike = measured.map(\.1.cka.value).min() ?? 0
        return Claim(
            measure: "ln of the dimensions' quotient where it is largest, \(place.shortName); null: the margin",
            value: half.map {
                .init(dimension.logRatio, low: dimension.logRatio - $0, high: dimension.logRatio + $0)
            } ?? .init(dimension.logRatio),
            null: .init(0, low: -ShapeMeasurement.ratioMargin, high: ShapeMeasurement.ratioMargin),
            unchanged == sites.count ? .supported : .notSupported,
            because:
                "unchanged at \(unchanged) of \(counted(sites.count, "site")), changed at \(changed), not shown at"
                + " \(sites.count - unchanged - changed); least CKA \(NumberFormat.significant(alike))",
            study: .init(
                "compare", [evidence.base.name, evidence.tuned.name, "geometry"], settings: ["prompts": "OPEN"]))
    }
}
