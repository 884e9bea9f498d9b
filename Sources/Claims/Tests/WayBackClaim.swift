import Comparison
import Directions
import Models
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that the loss does not rise on the straight path of weights from the tuned model back to its base.
struct WayBackClaim: ClaimTest {
    let name = "way-back"
    let summary = "the barrier of the loss between both: path"

    /// The largest rise of the loss, in nats per token, that is not a barrier.
    private static let margin = 0.01

    func statement(_ options: ClaimsRun.Options) -> String {
        "a way from the tuned model back to its base stays open"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        let (context, options, base) = (evidence.context, evidence.options, evidence.base)
        let set = try evidence.prompts.measured(.open, ClaimEvidence.lossPrompts, options.seed)
        let compared = try evidence.pair.encode(set, at: .all, in: context)
        let unanswered = PromptSet(
            source: set.source, prompts: set.prompts.map { .init(text: $0.text) }, isChat: set.isChat)
        let run = try PathRun(
            context: context, a: base, b: evidence.tuned, path: .weights, prompts: compared, lossPrompts: nil,
            set: BehaviourSet("open", unanswered, base.checkpoint, context), markers: nil,
            decoding: DecodingChoices(tokens: 1, sampling: .greedy, seed: options.seed, stops: [], ignoresEnd: false),
            points: [0, 0.25, 0.5, 0.75, 1], controls: RandomControls(kind: .random, count: 3),
            precision: options.choices.precision)
        let result = try run.run()
        guard let barrier = result.barrier, let interval = barrier.interval else { throw ClaimsError.noLossInterval }
        let kl = result.points.last?.toA.mean(\.forward)?.mean ?? 0
        let margin = NumberFormat.significant(Self.margin)
        let (isBelow, isAbove) = (interval.upperBound < Self.margin, interval.lowerBound > Self.margin)
        let where_ =
            isBelow
            ? "below \(margin) all the way"
            : isAbove ? "above \(margin)" : "the interval reaches from below \(margin) to above it"
        return Claim(
            measure: "barrier: rise of the loss above the straight line, (1 - l) base + l tuned, nats a token",
            value: .init(barrier.value, interval), null: Estimate(medianOf: result.randomBarriers),
            isBelow ? .supported : isAbove ? .notSupported : .notDistinguishable,
            because:
                "\(where_); at its end KL(base || tuned) is \(NumberFormat.significant(kl)) nats; null: random changes"
                + " of the same norms",
            study: .init("path", [base.name, evidence.tuned.name], settings: ["prompts": "OPEN"]))
    }
}
