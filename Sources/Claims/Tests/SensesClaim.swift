import Directions
import Models
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that the activations of words in different senses separate on their way through the layers.
struct SensesClaim: ClaimTest {
    let name = "senses"
    let summary = "words' senses against random splits, layer by layer: sense"

    /// The largest number of contexts (occurrences of a word in a text) that are taken of each sense of the word.
    private static let contexts = 60
    /// The number of random splits of a word's contexts with which the split into senses is compared.
    private static let splits = 200

    func statement(_ options: ClaimsRun.Options) -> String {
        "context pulls the senses of one word to far places of M"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        guard let path = evidence.prompts.senses else { throw ClaimsError.noSenses(folder: evidence.prompts.folder) }
        let c = try evidence.tuned.checkpoint.configuration()
        let sites = [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
        let result = try SenseRun(
            context: evidence.context, source: evidence.tuned, file: SenseFile(path, .init()), word: nil, sites: sites,
            most: Self.contexts, splits: Self.splits, seed: evidence.options.seed, choices: evidence.options.choices
        ).run()
        let share = Proportion(result.measured.map { $0.split != nil })
        guard let value = share.value, let interval = share.wilsonInterval() else { throw ClaimsError.noWords }
        let last = result.measured.map { $0.separations[sites.count - 1] }
        let splits = result.measured.compactMap(\.split).sorted()
        let embedded = result.measured.map { abs($0.separations[0].separation) }.max() ?? 0
        func median(_ values: [Double]) -> Double? { Quantiles(values)?[0.5] }
        return Claim(
            measure: "share of words whose senses lie farther apart than random splits up to the last layer",
            value: .init(value, interval), null: .init(0.05),
            interval.lowerBound > 0.5
                ? .supported : interval.upperBound < 0.5 ? .notSupported : .notDistinguishable,
            because: "\(share.successes) of \(counted(share.trials, "word"))"
                + (splits.isEmpty ? "" : ", half of them from \(sites[splits[splits.count / 2]].shortName) on")
                + "; median separation \(Claim.text(median(last.map(\.separation)))) at the last layer, null"
                + " \(Claim.text(median(last.map(\.nullBound)))), at the embedding at most"
                + " \(NumberFormat.significant(embedded))", study: .init("sense", ["all", path]))
    }
}
