import Comparison
import Models
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that a greater penalty in training keeps a tuned model nearer to its base, by the KL divergence.
struct PenaltyClaim: ClaimTest {
    let name = "penalty"
    let summary = "KL to the base under three penalties or more"

    func statement(_ options: ClaimsRun.Options) -> String {
        "what keeps the tuned model near its base is the KL penalty"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let members = evidence.options.penalties
        guard members.count >= 3 else { throw ClaimsError.fewPenalties }
        let set = try evidence.prompts.measured(.open, ClaimEvidence.directionPrompts, evidence.options.seed)
        let found = try members.map { member -> LogitsComparison in
            let pair = CheckpointPair(
                a: NamedCheckpoint(name: member.member.name, checkpoint: try member.member.load()), b: evidence.base)
            try pair.tellDifferences(in: evidence.context)
            try pair.checkSameVocabulary()
            let compared = try pair.encode(set, at: .last, in: evidence.context)
            return try LogitsComparisonRun(
                evidence.context, pair.a, pair.b, TokenSequences(compared.ids), positions: compared.positions,
                choices: evidence.options.choices
            ).run()
        }
        let values = found.map { $0.prompts.map { $0.map(\.forward) } }
        let steps = zip(values, values.dropFirst()).compactMap { one, other in
            ClusteredMean(zip(one, other).map { zip($0, $1).map { $1 - $0 } }).map { StepTest.Step($0) }
        }
        guard let test = StepTest(steps, direction: .falls), let first = found[0].mean(\.forward),
            let last = found[found.count - 1].mean(\.forward)
        else { throw ClaimsError.noTokens }
        let list = zip(members, found).map { member, comparison in
            "\(NumberFormat.significant(comparison.mean(\.forward)?.mean ?? 0)) at"
                + " \(NumberFormat.significant(member.penalty))"
        }.joined(separator: ", ")
        return Claim(
            measure:
                "KL(tuned || base) of a reply's first token under the greatest penalty; null: under the least, nats",
            value: Estimate(last, within: 0...Double.infinity), null: Estimate(first, within: 0...Double.infinity),
            test.verdict, because: "\(list); one checkpoint a penalty says nothing of other seeds",
            study: .init(
                "compare", ["TUNED", evidence.base.name, "logits"], settings: ["prompts": "OPEN", "at": "last"]))
    }
}
