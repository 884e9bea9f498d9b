import Comparison
import Directions
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

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
                    "\(prompts.folder.escapedForTerminal) has no senses.jsonl",
                    remedy: "write lines with the fields text, word and sense")
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
            func median(_ values: [Double]) -> Double? { Quantiles(values)?[0.5] }
            return Claim(
                kind: .senses, statement: statement,
                measure: "share of words whose senses lie farther apart than random splits up to the last layer",
                value: .interval(value: value, low: interval.lowerBound, high: interval.upperBound),
                null: .number(0.05),
                verdict: interval.lowerBound > 0.5
                    ? .supported : interval.upperBound < 0.5 ? .notSupported : .notDistinguishable,
                reason: "\(share.successes) of \(counted(share.trials, "word"))"
                    + (splits.isEmpty ? "" : ", half of them from \(sites[splits[splits.count / 2]].shortName) on")
                    + "; median separation \(Claim.text(median(last.map(\.separation)))) at the last layer, null"
                    + " \(Claim.text(median(last.map(\.nullBound)))), at the embedding at most"
                    + " \(NumberFormat.significant(embedded))",
                command: "sense all \(path)")
        }
    }

    /// Whether training goes step by step towards its end, and sooner than by chance.
    ///
    /// Every step of a random walk in many dimensions leads nearer to its end, too: its squared distance from there falls as
    /// the steps that are left. What converges is nearer.
    func convergenceClaim() throws -> Claim {
        let statement = "training converges onto M step by step"
        return try testing(.convergence, statement) {
            guard options.series.count >= 3 else {
                throw CommandError(
                    "a base and a tuned checkpoint can't show how training went",
                    remedy: "give checkpoints of one training, in its order: --series A,B,C")
            }
            try checkSeries()
            let result = try SeriesRun(
                context: session.context(), members: options.series, measures: [.cka], prompts: prompts.all(.open),
                site: try manifoldSite().fullName, precision: options.choices.precision
            ).run()
            guard let curve = result.curves.first, let test = curve.convergence,
                let worst = curve.approach.max(by: { $0.change < $1.change })
            else { throw CommandError("the series has no distances", remedy: "give other checkpoints") }
            let sooner = Self.nearerThanChance(curve.toLast, options.series.map(\.steps))
            let between = options.series.count - 2
            let alike = zip(options.series, curve.toLast).compactMap { member, estimate in
                estimate.map { "\(Claim.text($0.value)) \(member.name)" }
            }
            let verdict = test.verdict
            return Claim(
                kind: .convergence, statement: statement,
                measure: "least fall of 1 - CKA to the last checkpoint in a step"
                    + (result.site.map { ", \($0.shortName)" } ?? ""),
                value: worst.interval.map {
                    .interval(value: worst.change, low: $0.lowerBound, high: $0.upperBound)
                } ?? .number(worst.change), null: .number(0),
                verdict: verdict == .supported && sooner < between ? .notDistinguishable : verdict,
                reason:
                    "CKA to the last: \(alike.joined(separator: ", ")); nearer than a random walk of as many steps at"
                    + " \(sooner) of \(between)",
                command: "series FILES --measure cka --prompts OPEN")
        }
    }

    /// A series of another model says nothing of these two.
    private func checkSeries() throws {
        let own = try base.checkpoint.configuration()
        for member in options.series {
            let other = try member.load().configuration()
            guard other.hiddenSize == own.hiddenSize, other.layers == own.layers,
                other.vocabularySize == own.vocabularySize
            else {
                throw CommandError(
                    "\(member.name) is another model than \(base.name): width \(other.hiddenSize) and"
                        + " \(counted(other.layers, "layer")), not \(own.hiddenSize) and \(own.layers)",
                    remedy: "give checkpoints of its training with --series")
            }
        }
    }

    /// Checkpoints between the first and the last whose 1 - CKA to the last is below what a random walk from the first
    /// would have left, at 5 % one-sided; by steps of training, or where these are unknown by their order.
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
