import Comparison
import Control
import LinearAlgebra
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Claims

@Suite("Claims that can't be tested")
struct ClaimsRunRefusalTests {
    @Test("what one claim lacks leaves the others as they are, each with its reason")
    func missing() throws {
        let folder = try PromptFolder(["open.txt": 12])
        let pair = try pearlPair("chat", "tuned")
        let claims = try ClaimsRun(
            context: .testing(), pair: pair, prompts: folder.prompts(), options: ClaimsRun.Options()
        ).run()
        #expect(claims.map(\.name) == ClaimRegistry.all.map(\.name))
        let found = Dictionary(uniqueKeysWithValues: claims.map { ($0.name, $0) })
        func error(_ name: String) -> ClaimsError? { found[name]?.failure as? ClaimsError }
        let noForbidden = ClaimsError.noSet(folder: "the folder", names: ["forbidden", "taboo"])
        for name in ["basin-dimension", "causal", "contained", "forbidden"] { #expect(error(name) == noForbidden) }
        #expect(error("formulaic") == .noSet(folder: "the folder", names: ["formulaic"]))
        #expect(error("senses") == .noSenses(folder: "the folder"))
        #expect(error("penalty") == .fewPenalties && error("convergence") == .fewSteps)
        // Twelve points have no dimension, and twelve rows no shape.
        for name in ["dimension", "curved", "shape"] {
            #expect(found[name]?.verdict == .notTestable && found[name]?.failure != nil, "\(name)")
        }
        #expect(found["way-back"]?.verdict == .supported)
        for claim in claims { #expect(!claim.statement.isEmpty && !claim.why.isEmpty) }
        for test in ClaimRegistry.all { #expect(!test.summary.isEmpty) }
    }

    @Test("without phrases of refusals there is no behaviour to judge, and without plain prompts no contrast")
    func noMarkers() throws {
        let folder = try PromptFolder(["taboo.jsonl": 24, "plain.jsonl": 24])
        let pair = try pearlPair("chat", "tuned")
        let found = try folder.claims("basin-dimension", "causal", of: pair)
        #expect(found["causal"]?.failure as? ClaimsError == .noMarkers(folder: "the folder"))
        // Which layer is taken is then the first at which something was found.
        #expect(found["basin-dimension"]?.verdict != .notTestable, "\(found["basin-dimension"]?.why ?? "")")
        try folder.remove("plain.jsonl")
        let other = try folder.claims("basin-dimension", of: pair)
        #expect(
            other["basin-dimension"]?.failure as? ClaimsError == .noSet(folder: "the folder", names: ["plain"]))
    }

    @Test("too few prompts of one length are no test of a basin")
    func fewPairs() throws {
        let folder = try PromptFolder.small()
        let found = try folder.claims("forbidden", "formulaic", of: pearlPair("chat", "tuned"))
        for (name, claim) in found {
            guard case .fewPairs(let own, _, let pairs, let least, let slack, _)? = claim.failure as? ComparisonError
            else {
                Issue.record("\(name): \(claim.why)")
                continue
            }
            #expect(own.set == name && pairs < 300 && least == 300 && slack == 2)
        }
    }

    @Test("of a class that nothing was done to no dimensions are lost, with as many pairs as are wanted")
    func basinOfItself() throws {
        let folder = try PromptFolder()
        for (name, word) in [("forbidden", "sea"), ("lookalike", "sand"), ("open", "shore")] {
            try folder.write("\(name).txt", (100..<400).map { "\($0) \(word)" })
        }
        let tiny = NamedCheckpoint("tiny", try fixtureModel("tiny-words"))
        let found = try folder.claims("forbidden", of: CheckpointPair(a: tiny, b: tiny))
        let claim = try #require(found["forbidden"])
        #expect(claim.verdict == .notDistinguishable && claim.value == Estimate(0, low: 0, high: 0), "\(claim.why)")
        #expect(claim.why.contains("p 1 over 1 layer (Holm), against lookalike prompts 0 [0, 0], 300 pairs"))
        #expect(claim.study?.name == "basin" && claim.study?.operands == ["tiny", "tiny", "FORBIDDEN"])
    }

    @Test("a series without a distance, and a set without an interval")
    func noNumbers() throws {
        let one = try PromptFolder(["open.txt": 1]).claims("way-back", of: pearlPair("base", "chat"))
        #expect(one["way-back"]?.failure as? ClaimsError == .noLossInterval)
        let three = try PromptFolder(["open.txt": 3]).claims("convergence", of: pearlPair("base", "chat")) {
            $0.series = try ["step-0", "step-64", "base"].map(member)
        }
        let reason = try #require(three["convergence"]?.failure)
        #expect("\(reason)" == "3 points are too few; take at least 4")
    }

    @Test("checkpoints that don't see the same tokens are no pair")
    func otherVocabulary() throws {
        let folder = try PromptFolder(["open.txt": 2])
        let pair = CheckpointPair(
            a: try namedPearl("chat"), b: NamedCheckpoint(name: "tiny", checkpoint: try fixtureModel("tiny-chat")))
        #expect(throws: WorkbenchError.differentVocabularies("chat", 1024, "tiny", 300)) {
            try folder.claims("way-back", of: pair)
        }
    }

    @Test("a run that is given up throws, and ends its scope")
    func cancelled() throws {
        let folder = try PromptFolder(["open.txt": 2])
        let told = Told()
        let control = RunControl()
        control.cancel()
        let context = RunContext.testing(control: control, tell: told.tell)
        let pair = try pearlPair("chat", "tuned")
        #expect(throws: CancellationError.self) { try folder.claims("way-back", of: pair, context: context) }
        #expect(told.isOver)
    }

    @Test("given up in the middle of a measure, it throws too, and is no reason of a claim")
    func cancelledWithin() throws {
        let folder = try PromptFolder.small()
        let pair = try pearlPair("chat", "tuned")
        for name in ["causal", "dimension", "shape", "way-back"] {
            #expect(throws: CancellationError.self, "\(name)") {
                try folder.claims(name, of: pair, context: .testing(control: controlThatGivesUp()))
            }
        }
    }

    @Test("the same bits at one thread and at two")
    func threads() throws {
        let folder = try PromptFolder.small()
        let pair = try pearlPair("chat", "tuned")
        let found = try [1, 2].map {
            try folder.claims("basin-dimension", "shape", of: pair, context: .testing(threads: $0))
        }
        for (name, claim) in found[0] {
            #expect(claim.value == found[1][name]?.value && claim.why == found[1][name]?.why, "\(name)")
        }
    }

    @Test("nearer to its end than a random walk: the share of the way that is left, beyond its errors")
    func randomWalk() {
        func estimates(_ values: [Double?], error: Double? = 0.001) -> [SeriesCurve.Estimate?] {
            values.map { $0.map { .init($0, standardError: error) } }
        }
        // 1 - CKA falls from 1 at 0 steps to 0 at 100: half of the way leaves one half to a random walk.
        let steps: [Int?] = [0, 50, 90, 100]
        #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.9, 0.99, nil]), steps) == 2)
        #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.5, 0.95, nil]), steps) == 1)
        #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.4, 0.8, nil]), steps) == 0)
        #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.9, 0.99, nil], error: 1), steps) == 0)
        #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.9, 0.99, nil], error: nil), steps) == 0)
        // Steps that are unknown or don't ascend count as one each: two thirds are left, then one.
        for steps: [Int?] in [[nil, 50, 90, 100], [0, 90, 50, 100]] {
            #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.4, 0.7, nil]), steps) == 2)
            #expect(ConvergenceClaim.nearerThanChance(estimates([0, 0.3, 0.7, nil]), steps) == 1)
        }
        #expect(ConvergenceClaim.nearerThanChance([nil, nil], [0, 1]) == 0)
    }

    @Test("numbers of a claim are written with four digits, and with their interval")
    func texts() {
        #expect(Claim.text(Double?.none) == "-" && Claim.text(Estimate?.none) == "-")
        #expect(Claim.text(2.0...10.0) == "2 to 10" && Claim.text(Estimate(0.25)) == "0.25")
        #expect(Claim.text(Estimate(0.5, low: 0.25, high: 0.75)).contains("["))
    }
}
