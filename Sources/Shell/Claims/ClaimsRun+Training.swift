import Comparison
import Directions
import LinearAlgebra
import Models
import Reports

/// What context and training do.
extension ClaimsRun {
    private static let senseContexts = 60
    private static let senseSplits = 200

    /// Whether words' senses come apart on their way through the layers.
    func senseClaim() throws -> Claim {
        let statement = "context pulls the senses of one word to far places of M"
        return try testing(.senses, statement) {
            guard let path = prompts.senses else {
                throw CommandError(
                    "\(prompts.folder) has no senses.jsonl", remedy: "write lines with the fields text, word and sense")
            }
            let c = try tuned.checkpoint.configuration()
            let sites = [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
            let result = try SenseRun(
                session: session, source: tuned, file: SenseFile(path, .init()), word: nil, sites: sites,
                most: Self.senseContexts, splits: Self.senseSplits, seed: options.seed, choices: options.choices
            ).run()
            let share = Proportion(result.measured.map { $0.split != nil })
            guard let value = share.value, let interval = share.wilsonInterval() else {
                throw CommandError("no word could be measured")
            }
            let last = result.measured.map { $0.separations[sites.count - 1] }
            let splits = result.measured.compactMap(\.split).sorted()
            let embedded = result.measured.map { abs($0.separations[0].separation) }.max() ?? 0
            func median(_ values: [Double]) -> Double {
                let sorted = values.sorted()
                return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
            }
            return Claim(
                kind: .senses, statement: statement,
                measure: "share of words whose senses lie farther apart than random splits up to the last layer",
                value: .interval(value: value, low: interval.lowerBound, high: interval.upperBound),
                null: .number(0.05),
                verdict: interval.lowerBound > 0.5 ? .supported : interval.upperBound < 0.5 ? .no : .noise,
                reason: "\(share.successes) of \(counted(share.trials, "word"))"
                    + (splits.isEmpty ? "" : ", half of them from \(sites[splits[splits.count / 2]].shortName) on")
                    + "; median separation \(NumberFormat.significant(median(last.map(\.separation)))) at the last layer, null"
                    + " \(NumberFormat.significant(median(last.map(\.nullBound)))), at the embedding at most"
                    + " \(NumberFormat.significant(embedded))",
                command: "sense all \(path)")
        }
    }

    /// Whether training goes step by step towards its end.
    func convergenceClaim() throws -> Claim {
        let statement = "training converges onto M step by step"
        return try testing(.convergence, statement) {
            guard options.series.count >= 3 else {
                throw CommandError(
                    "a base and a tuned checkpoint can't show how training went",
                    remedy: "give checkpoints of one training, in its order: --series A,B,C")
            }
            let set = try prompts.measured(.open, atMost: Self.directionPrompts, seed: options.seed)
            let result = try SeriesRun(
                session: session, members: options.series, measures: [.cka], prompts: set,
                site: try manifoldSite().fullName, precision: options.choices.precision
            ).run()
            guard let curve = result.curves.first, let test = curve.convergence,
                let worst = curve.approach.max(by: { $0.change < $1.change })
            else { throw CommandError("the series has no distances", remedy: "give other checkpoints") }
            let alike = zip(options.series, curve.toLast).compactMap { member, estimate in
                estimate.map { "\(NumberFormat.significant($0.value)) \(member.name)" }
            }
            return Claim(
                kind: .convergence, statement: statement,
                measure:
                    "least fall of 1 - CKA to the last checkpoint in a step\(result.site.map { ", \($0.shortName)" } ?? "")",
                value: worst.interval.map {
                    .interval(value: worst.change, low: $0.lowerBound, high: $0.upperBound)
                } ?? .number(worst.change), null: .number(0),
                verdict: .init(test.verdict), reason: "CKA to the last: \(alike.joined(separator: ", "))",
                command: "series FILES --measure cka --prompts OPEN")
        }
    }
}
