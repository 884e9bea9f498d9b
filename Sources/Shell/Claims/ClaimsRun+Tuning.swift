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

/// What tuning did to prompts' dimensions, to the way back and to the shape of M.
extension ClaimsRun {
    /// A loss that rises no more than this, in nats a token, is no barrier.
    private static let barrierMargin = 0.01

    func basinClaim(_ kind: Claim.Kind) throws -> Claim {
        let role: ClaimPrompts.Role = kind == .forbidden ? .forbidden : .formulaic
        // As homogeneous, and not what the tuning was about.
        let control: ClaimPrompts.Role = kind == .forbidden ? .lookalike : .plain
        let statement = "\(role.rawValue) prompts live in fewer dimensions since the tuning"
        return try testing(kind, statement) {
            func named(_ role: ClaimPrompts.Role) throws -> BasinRun.Named {
                BasinRun.Named(name: role.rawValue, set: try prompts.all(role))
            }
            let layers = try base.checkpoint.configuration().layers
            var choices = BasinRun.Options(sites: (0..<layers).map { Site(.residPost, layer: $0) })
            (choices.seed, choices.choices, choices.slack) = (options.seed, options.choices, 2)
            choices.permutations = max(1000, 40 * layers)
            let result = try BasinRun(
                context: session.context(), pair: pair, classes: [named(role)], open: named(.open),
                control: named(control),
                options: choices
            ).run()
            let found = result.classes[0]
            guard let place = found.place, let open = found.open.sites[place].found else {
                throw CommandError("no site can be measured")
            }
            let other = found.control.sites[place].found
            let p = Claim.text(found.open.sites[place].adjusted)
            let against = other.map {
                ", against \(control.rawValue) prompts \(NumberFormat.significant($0.value))"
                    + " [\(NumberFormat.significant($0.interval.lowerBound)),"
                    + " \(NumberFormat.significant($0.interval.upperBound))]"
            }
            return Claim(
                kind: kind, statement: statement,
                measure:
                    "difference in differences of dimensions, against open prompts, \(found.open.sites[place].site.shortName)",
                value: .interval(value: open.value, low: open.interval.lowerBound, high: open.interval.upperBound),
                null: .interval(value: 0, low: open.null.lowerBound, high: open.null.upperBound),
                verdict: found.verdict,
                reason: "\(BasinReport.reason(found)); p \(p) over \(counted(layers, "layer")) (Holm)\(against ?? ""),"
                    + " \(counted(found.open.match.pairs.count, "pair"))",
                command:
                    "basin \(base.name) \(tuned.name) \(role.rawValue.uppercased()) --open OPEN --control \(control.rawValue.uppercased())"
                    + " --length-slack 2")
        }
    }

    /// Whether the loss rises on the straight way back to the base.
    func wayBackClaim() throws -> Claim {
        let statement = "a way from the tuned model back to its base stays open"
        return try testing(.wayBack, statement) {
            let set = try prompts.measured(.open, Self.lossPrompts, options.seed)
            let compared = try pair.encode(set, at: .all, in: session.context())
            let unanswered = PromptSet(
                source: set.source, prompts: set.prompts.map { .init(text: $0.text) }, isChat: set.isChat)
            let run = try PathRun(
                context: session.context(), a: base, b: tuned, path: .weights, prompts: compared, lossPrompts: nil,
                set: BehaviourSet("open", unanswered, base.checkpoint, session.context()),
                markers: nil,
                decoding: DecodingChoices(
                    tokens: 1, sampling: .greedy, seed: options.seed, stops: [], ignoresEnd: false),
                points: [0, 0.25, 0.5, 0.75, 1], controls: RandomControls(kind: .random, count: 3),
                precision: options.choices.precision)
            let result = try run.run()
            guard let barrier = result.barrier, let interval = barrier.interval else {
                throw CommandError("the loss has no interval", remedy: "give more open prompts, of two tokens or more")
            }
            let kl = result.points.last?.toA.mean(\.forward)?.mean ?? 0
            let margin = NumberFormat.significant(Self.barrierMargin)
            return Claim(
                kind: .wayBack, statement: statement,
                measure: "barrier: rise of the loss above the straight line, (1 - l) base + l tuned, nats a token",
                value: .interval(value: barrier.value, low: interval.lowerBound, high: interval.upperBound),
                null: EffectReport.spread(result.randomBarriers),
                verdict: interval.upperBound < Self.barrierMargin
                    ? .supported : interval.lowerBound > Self.barrierMargin ? .notSupported : .notDistinguishable,
                reason: (interval.upperBound < Self.barrierMargin
                    ? "below \(margin) all the way"
                    : interval.lowerBound > Self.barrierMargin
                        ? "above \(margin)" : "the interval reaches from below \(margin) to above it")
                    + "; at its end KL(base || tuned) is \(NumberFormat.significant(kl)) nats; null: random changes of the"
                    + " same norms",
                command: "path \(base.name) \(tuned.name) --prompts OPEN")
        }
    }

    /// Whether a greater penalty keeps a model nearer to its base.
    func penaltyClaim() throws -> Claim {
        let statement = "what keeps the tuned model near its base is the KL penalty"
        return try testing(.penalty, statement) {
            let members = options.penalties
            guard members.count >= 3 else {
                throw CommandError(
                    "a base and a tuned checkpoint can't show what a penalty did",
                    remedy: "give checkpoints tuned under three penalties or more: --penalties A,B,C")
            }
            let set = try prompts.measured(.open, Self.directionPrompts, options.seed)
            let found = try members.map { member -> LogitsComparison in
                let pair = CheckpointPair(
                    a: NamedCheckpoint(name: member.member.name, checkpoint: try member.member.load()), b: base)
                try pair.checkSameVocabulary()
                let compared = try pair.encode(set, at: .last, in: session.context())
                return try LogitsComparisonRun(
                    session.context(), pair.a, pair.b, TokenSequences(compared.ids), positions: compared.positions,
                    choices: options.choices
                ).run()
            }
            let values = found.map { $0.prompts.map { $0.map(\.forward) } }
            let steps = zip(values, values.dropFirst()).compactMap { one, other in
                ClusteredMean(zip(one, other).map { zip($0, $1).map { $1 - $0 } }).map { StepTest.Step($0) }
            }
            guard let test = StepTest(steps, direction: .falls), let first = found[0].mean(\.forward),
                let last = found[found.count - 1].mean(\.forward)
            else { throw CommandError("no token could be compared", remedy: "give longer prompts") }
            let list = zip(members, found).map { member, comparison in
                "\(NumberFormat.significant(comparison.mean(\.forward)?.mean ?? 0)) at"
                    + " \(NumberFormat.significant(member.penalty))"
            }.joined(separator: ", ")
            return Claim(
                kind: .penalty, statement: statement,
                measure:
                    "KL(tuned || base) of a reply's first token under the greatest penalty; null: under the least, nats",
                value: Cell(last, within: 0...Double.infinity), null: Cell(first, within: 0...Double.infinity),
                verdict: test.verdict, reason: "\(list); one checkpoint a penalty says nothing of other seeds",
                command: "compare TUNED \(base.name) logits --prompts OPEN --at last")
        }
    }

    /// Whether dimensions and geometry are equivalent before and after.
    func shapeClaim() throws -> Claim {
        let statement = "tuning leaves the shape of M as it was"
        return try testing(.shape, statement) {
            let set = try prompts.measured(.open, Self.directionPrompts, options.seed)
            let activations = try PairedActivations(
                pair, set, sites: nil, at: .last, choices: options.choices, in: session.context())
            let sites = try activations.shapes(in: session.context())
            let measured = sites.compactMap { site in site.measurement.map { (site.site, $0) } }
            let unchanged = measured.count { $0.1.finding == .unchanged }
            let changed = measured.count { $0.1.finding == .changed }
            func ratio(_ found: ShapeMeasurement) -> ShapeMeasurement.Dimension? {
                found.dimensions.first { $0.name == "PR" }
            }
            let most = measured.max {
                abs(ratio($0.1)?.logRatio ?? 0) < abs(ratio($1.1)?.logRatio ?? 0)
            }
            guard let (place, found) = most, let dimension = ratio(found) else {
                throw CommandError("no site has a dimension", remedy: "give more prompts")
            }
            let half = dimension.ratioSpread.map { ShapeMeasurement.z * $0 }
            let alike = measured.map(\.1.cka.value).min() ?? 0
            return Claim(
                kind: .shape, statement: statement,
                measure: "ln of the dimensions' quotient where it is largest, \(place.shortName); null: the margin",
                value: half.map {
                    .interval(value: dimension.logRatio, low: dimension.logRatio - $0, high: dimension.logRatio + $0)
                } ?? .number(dimension.logRatio),
                null: .interval(value: 0, low: -ShapeMeasurement.ratioMargin, high: ShapeMeasurement.ratioMargin),
                verdict: unchanged == sites.count ? .supported : .notSupported,
                reason:
                    "unchanged at \(unchanged) of \(counted(sites.count, "site")), changed at \(changed), not shown at"
                    + " \(sites.count - unchanged - changed); least CKA \(NumberFormat.significant(alike))",
                command: "compare \(base.name) \(tuned.name) geometry --prompts OPEN")
        }
    }
}
