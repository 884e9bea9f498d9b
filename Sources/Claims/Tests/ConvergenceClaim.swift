import Comparison
import Geometry
import Models
import Sites
import Statistics
import Workbench

/// The claim that training approaches its last checkpoint step by step, and gets there sooner than by chance.
///
/// In many dimensions, every step of a random walk also leads nearer to its end: its squared distance from there falls
/// in proportion to the steps that are left. A training that converges is nearer than that.
struct ConvergenceClaim: ClaimTest {
    let name = "convergence"
    let summary = "CKA to the last checkpoint of a training, beside a random walk: series"

    func statement(_ options: ClaimsRun.Options) -> String { "training converges onto M step by step" }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let members = evidence.options.series
        guard members.count >= 3 else { throw ClaimsError.fewSteps }
        try check(members, are: evidence.base)
        let result = try SeriesRun(
            context: evidence.context, members: members, measures: [.cka], prompts: evidence.prompts.all(.open),
            site: try evidence.manifoldSite().fullName, precision: evidence.options.choices.precision
        ).run()
        guard let curve = result.curves.first, let test = curve.convergence,
            let worst = curve.approach.max(by: { $0.change < $1.change })
        else { throw ClaimsError.noDistances }
        let sooner = Self.nearerThanChance(curve.toLast, members.map(\.steps))
        let between = members.count - 2
        let alike = zip(members, curve.toLast).compactMap { member, estimate in
            estimate.map { "\(Claim.text($0.value)) \(member.name)" }
        }
        let verdict = test.verdict
        return Claim(
            measure: "least fall of 1 - CKA to the last checkpoint in a step"
                + (result.site.map { ", \($0.shortName)" } ?? ""),
            value: worst.interval.map { .init(worst.change, $0) } ?? .init(worst.change), null: .init(0),
            verdict == .supported && sooner < between ? .notDistinguishable : verdict,
            because: "CKA to the last: \(alike.joined(separator: ", ")); nearer than a random walk of as many steps at"
                + " \(sooner) of \(between)",
            study: .init("series", ["FILES"], settings: ["measure": "cka", "prompts": "OPEN"]))
    }

    /// Checks that the checkpoints of the series are of the same model as the base; another model's say nothing about
    /// this one.
    private func check(_ members: [SeriesMember], are base: NamedCheckpoint) throws {
        let own = try base.checkpoint.configuration()
        for member in members {
            let other = try member.load().configuration()
            guard other.hiddenSize == own.hiddenSize, other.layers == own.layers,
                other.vocabularySize == own.vocabularySize
            else {
                throw ClaimsError.otherModel(
                    member.name, width: other.hiddenSize, layers: other.layers, than: base.name,
                    ownWidth: own.hiddenSize, ownLayers: own.layers)
            }
        }
    }

    /// Counts the checkpoints between the first and the last whose distance to the last, 1 - CKA (a similarity of
    /// activations), is below what a random walk from the first would have left, at 5 % one-sided. Time is counted in
    /// training steps, or in the order of the checkpoints if the steps are unknown or don't ascend.
    static func nearerThanChance(_ toLast: [SeriesCurve.Estimate?], _ steps: [Int?]) -> Int {
        let known = steps.compactMap(\.self)
        let ascends = known.count == steps.count && zip(known, known.dropFirst()).allSatisfy { $0 < $1 }
        let times = ascends ? known.map(Double.init) : steps.indices.map(Double.init)
        guard let first = toLast.first ?? nil, let end = times.last else { return 0 }
        return toLast.indices.dropFirst().dropLast().count { index in
            guard let here = toLast[index], let error = here.standardError, let start = first.standardError else {
                return false
            }
            let left = (end - times[index]) / (end - times[0])
            let margin = left * (1 - first.value) - (1 - here.value)
            return margin > ShapeMeasurement.z * (error * error + left * left * start * start).squareRoot()
        }
    }
}
