import Control
import Geometry
import LinearAlgebra
import Models
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Basins of prompts")
struct BasinRunTests {
    // MARK: Verdicts

    /// A class of `before` dimensions that tuning gave `after`, beside another of its own, at one site.
    private func comparison(
        _ before: Int, _ after: Int, other: (before: Int, after: Int), name: String
    ) throws -> BasinRun.Comparison {
        func points(_ dimension: Int, _ seed: UInt64) -> Matrix {
            var random = SeededRandom(seed: seed)
            var matrix = Matrix(rows: 100, columns: 40)
            for row in 0..<100 {
                for (column, value) in random.normal(count: 40).prefix(dimension).enumerated() {
                    matrix[row, column] = Float(value)
                }
            }
            return matrix
        }
        let found = try DifferenceInDifferences(
            before: (points(before, 1), points(other.before, 2)), after: (points(after, 1), points(other.after, 2)),
            permutations: 200, seed: 3, pool: Pools.one, control: RunControl())
        let lengths = [Int](repeating: 5, count: 100)
        return BasinRun.Comparison(
            other: name, match: LengthMatch(lengths, lengths, slack: 0, seed: 0),
            sites: [
                .init(site: Site(.residPost, layer: 0), found: found, reason: nil, adjusted: found.p)
            ])
    }

    private func judged(
        _ own: (Int, Int), open: (before: Int, after: Int), control: (before: Int, after: Int)
    ) throws -> BasinRun.ClassResult {
        BasinRun.ClassResult.judged(
            "class", open: try comparison(own.0, own.1, other: open, name: "open"),
            control: try comparison(own.0, own.1, other: control, name: "control"))
    }

    @Test("verdicts are those that were planted, each with its reason")
    func verdicts() throws {
        func check(
            _ own: (Int, Int), open: (before: Int, after: Int), control: (before: Int, after: Int), _ verdict: Verdict,
            _ reason: String
        ) throws {
            let found = try judged(own, open: open, control: control)
            #expect(found.verdict == verdict && found.reason.contains(reason), "\(found.reason)")
            #expect(found.place == 0)
        }
        // The class alone fell.
        try check((16, 6), open: (24, 24), control: (16, 16), .supported, "at 1 of 1 site it has fewer dimensions")
        // A homogeneous class that stayed, beside sets that stayed.
        try check((4, 4), open: (24, 24), control: (5, 5), .notDistinguishable, "at no site")
        // The look-alikes fell as far.
        try check((16, 6), open: (24, 24), control: (16, 6), .notSupported, "at no such site against control too")
        // The class stayed, and the others gained.
        try check((6, 6), open: (12, 24), control: (6, 12), .notSupported, "only because open gained some")
        // The class gained.
        try check((6, 16), open: (24, 24), control: (6, 6), .notSupported, "it gained dimensions against open")
        // The control is not as homogeneous.
        try check((12, 4), open: (24, 24), control: (30, 30), .notTestable, "more than twice")
    }

    @Test("a site without a dimension decides nothing")
    func unmeasured() {
        let site = BasinRun.AtSite(site: Site(.embed), found: nil, reason: "why", adjusted: nil)
        #expect(!site.isBelow && !site.isAbove && !site.hasFallen && !site.isAlike)
        let lengths = LengthMatch([5], [5], slack: 0, seed: 0)
        let nothing = BasinRun.Comparison(other: "o", match: lengths, sites: [site])
        let judged = BasinRun.ClassResult.judged("c", open: nothing, control: nothing)
        #expect(judged.verdict == .notDistinguishable && judged.place == nil && judged.sites == 0)
    }

    // MARK: Lengths

    @Test("pairs have one length each, no prompt stands in two, and there are as many as can be")
    func lengths() {
        let (first, second) = ([5, 5, 5, 6, 9, 7], [5, 6, 6, 7, 5, 12, 8])
        let exact = LengthMatch(first, second, slack: 0, seed: 1)
        #expect(exact.pairs.count == 4 && exact.pairs.allSatisfy { first[$0.first] == second[$0.second] })
        #expect(Set(exact.pairs.map(\.first)).count == 4 && Set(exact.pairs.map(\.second)).count == 4)
        #expect(exact.meanLengths.first == exact.meanLengths.second)
        let loose = LengthMatch(first, second, slack: 1, seed: 1)
        #expect(loose.pairs.count == 6 && loose.pairs.allSatisfy { abs(first[$0.first] - second[$0.second]) <= 1 })
        let drawn = exact.sample(2, first, second, seed: 4)
        #expect(drawn.pairs.count == 2 && drawn.pairs.allSatisfy { first[$0.first] == second[$0.second] })
        // Intervals of few pairs are wider: of 75 instead of 300, twice as wide.
        let fives = [Int](repeating: 5, count: 400)
        #expect(LengthMatch(fives, Array(fives.prefix(75)), slack: 0, seed: 0).widening == 2)
        #expect(LengthMatch(fives, fives, slack: 0, seed: 0).widening == 1)
    }

    // MARK: Runs

    private static let sites = [Site(.residPost, layer: 2), Site(.residPost, layer: 3)]

    private func named(_ name: String, _ file: String, _ count: Int, isChat: Bool = true) throws -> BasinRun.Named {
        BasinRun.Named(name: name, set: try shippedPrompts(file, count, isChat: isChat))
    }

    private func run(
        _ a: String, _ b: String, context: RunContext = .testing(), classes: [BasinRun.Named]? = nil,
        open: BasinRun.Named? = nil, control: BasinRun.Named? = nil,
        _ change: (inout BasinRun.Options) -> Void = { _ in }
    ) throws -> BasinRun.Result {
        var options = BasinRun.Options(sites: Self.sites, permutations: 60, least: 20, slack: 4)
        change(&options)
        return try BasinRun(
            context: context, pair: pearlPair(a, b), classes: classes ?? [named("taboo", "taboo.jsonl", 60)],
            open: open ?? named("plain", "plain.jsonl", 120),
            control: control ?? named("alike", "taboo-lookalike.jsonl", 60), options: options
        ).run()
    }

    @Test("a checkpoint beside itself: 0, exactly, and no finding")
    func same() throws {
        let result = try run("chat", "chat")
        let found = try #require(result.classes.first)
        #expect(found.verdict == .notDistinguishable && found.name == "taboo" && result.repeated.isEmpty)
        for comparison in [found.open, found.control] {
            #expect(comparison.sites.map(\.site) == Self.sites && comparison.match.pairs.count >= 20)
            for site in comparison.sites {
                let measured = try #require(site.found)
                #expect(measured.value == 0 && measured.interval == 0...0 && measured.own == 0 && measured.p == 1)
                #expect(site.adjusted == 1)
            }
        }
    }

    @Test("the same bits at one thread and at two, and another seed draws other pairs")
    func threads() throws {
        let found = try [1, 2].map { try run("chat", "tuned", context: .testing(threads: $0)) }
        for (one, other) in zip(found[0].classes, found[1].classes) {
            #expect(one.open.sites.map(\.found) == other.open.sites.map(\.found))
            #expect(one.control.sites.map(\.adjusted) == other.control.sites.map(\.adjusted))
        }
        #expect(found[0].classes[0].open.sites.contains { $0.found?.value != 0 })
        let other = try run("chat", "tuned") { $0.seed = 9 }
        #expect(other.classes[0].open.sites.map(\.found) != found[0].classes[0].open.sites.map(\.found))
    }

    @Test("prompts that stand twice count once, and a site of one row is left out with its reason")
    func repeated() throws {
        let set = try shippedPrompts("taboo.jsonl", 40, isChat: true)
        let twice = BasinRun.Named(
            name: "twice",
            set: PromptSet(source: "t", prompts: set.prompts + set.prompts.prefix(3), isChat: true))
        // The last token of a chat prompt is the same in all.
        let result = try run("chat", "tuned", classes: [twice]) {
            $0.sites = [Site(.embed), Site(.residPost, layer: 1)]
        }
        #expect(result.repeated.map(\.name) == ["twice"] && result.repeated[0].count == 3)
        let sites = result.classes[0].open.sites
        #expect(sites[0].found == nil && sites[0].reason?.contains("all points are the same") == true)
        #expect(sites[1].found != nil && sites[0].adjusted == nil && sites[1].adjusted != nil)
        #expect(throws: ComparisonError.self) { try run("chat", "tuned") { $0.sites = [Site(.embed)] } }
    }

    @Test("what can't be compared is refused, with its numbers")
    func refusals() throws {
        func error(_ body: () throws -> BasinRun.Result) -> ComparisonError? {
            #expect(throws: ComparisonError.self) { _ = try body() }
        }
        let taboo = try named("taboo", "taboo.jsonl", 60)
        #expect(
            error { try run("chat", "tuned", control: .init(name: "again", set: taboo.set)) }
                == .sharedPrompts("taboo", "again", count: 60))
        #expect(
            error { try run("chat", "tuned", open: named("open", "open.txt", 60, isChat: false)) }
                == .differentTemplates(["taboo is as chat", "open is not as chat"]))
        #expect(error { try run("chat", "tuned") { $0.permutations = 30 } } == .fewPermutations(30, sites: 2))
        #expect(
            error { try run("chat", "tuned", classes: [.init(name: "none", set: promptSet([], isChat: true))]) }
                == .noPrompts(set: "none"))
        guard
            case .fewPairs(let own, let other, let found, least: 300, slack: 4, isEnough: true)? = error({
                try run("chat", "tuned") { $0.least = 300 }
            })
        else {
            Issue.record("enough for an interval")
            return
        }
        #expect(own.set == "taboo" && own.prompts == 60 && own.shortest < own.longest && other.set == "plain")
        #expect((20...60).contains(found))
        let long = promptSet([Array(repeating: "the sea", count: 300).joined(separator: " ")], isChat: true)
        guard
            case .longPrompt(set: "long", number: 1, let tokens, limit: 256)? = error({
                try run("chat", "tuned", classes: [.init(name: "long", set: long)])
            })
        else {
            Issue.record("a long prompt")
            return
        }
        #expect(tokens > 256)
        let tiny = CheckpointPair(
            a: try namedPearl("chat"), b: NamedCheckpoint(name: "tiny", checkpoint: try fixtureModel("tiny-chat")))
        #expect(throws: ComparisonError.otherShape("tiny", than: "chat")) {
            try BasinRun(
                context: .testing(), pair: tiny, classes: [taboo], open: taboo, control: taboo,
                options: .init(sites: Self.sites)
            ).run()
        }
    }

    @Test("given up, it throws")
    func cancelled() throws {
        #expect(throws: CancellationError.self) { try run("chat", "tuned", context: .cancelled) }
        #expect(throws: CancellationError.self) {
            try run("chat", "tuned", context: .testing(control: controlThatGivesUp()))
        }
    }
}
