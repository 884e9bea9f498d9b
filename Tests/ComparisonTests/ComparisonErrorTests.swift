import Sites
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Errors of comparisons")
struct ComparisonErrorTests {
    private static let one = ComparisonError.Lengths(set: "a", prompts: 1, shortest: 2, longest: 3)
    private static let other = ComparisonError.Lengths(set: "b", prompts: 4, shortest: 5, longest: 6)

    @Test(
        "each has its numbers, and names no option",
        arguments: [
            (.noPrompts(set: nil), "the set has no prompts"), (.noPrompts(set: "s"), "s has no prompts"),
            (.noRows(Site(.logits)), "logits has no rows"),
            (.noSharedSites(checkpoint: "m", sites: "embed"), "m has none of the sites embed"),
            (.noSite(Site(.posEmbed), checkpoint: "m"), "m has no pos_embed"),
            (.severalSites("s", count: 6, checkpoint: "m"), "s is 6 sites of m"),
            (.notMeasured(Site(.embed), reason: "why"), "embed: why"),
            (.nothingMeasured(reason: "why"), "no site can be measured: why"),
            (.notFinite(Site(.embed), checkpoint: "m", value: .infinity), "m: embed holds"),
            (.brokenTensor("t", checkpoint: "m"), "m: t holds NaN or infinite values"),
            (.otherShape("a", than: "b"), "a has other layers or widths than b"),
            (.differentTemplates(["a is as chat", "b is not"]), "different templates: a is as chat, b is not"),
            (.fewPermutations(9, sites: 2), "9 permutations are too few for 2 sites"),
            (
                .longPrompt(set: "s", number: 2, tokens: 300, limit: 256),
                "s: prompt 2 has 300 tokens, and the models take 256"
            ),
            (.sharedPrompts("a", "b", count: 1), "a and b have 1 prompt in common"),
            (
                .fewPairs(one, other, found: 1, least: 20, slack: 0, isEnough: false),
                "a and b have only 1 pair of prompts of one length (1 prompt of 2 to 3 tokens, 4 of 5 to 6), and 20 are"
            ),
            (.fewPairs(one, other, found: 1, least: 20, slack: 2, isEnough: true), "within 2 tokens of one length"),
            (
                .smallLimit(MemoryLimit(bytes: 5, name: "the limit"), longest: 7, smallest: 1_500_000),
                "7 tokens, and running two checkpoints over it needs 2MB"
            ),
        ] as [(ComparisonError, String)])
    func descriptions(error: ComparisonError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }
}
