import Comparison
import Directions
import LinearAlgebra
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Claims

/// What Checkpoints/README.md says of pearl-chat and pearl-tuned, by construction or as torch measured it.
@Suite("Claims about a tuned model")
struct ClaimsRunTests {
    @Test("all that tuning wrote lies along one direction, on which the behaviour hangs")
    func oneDirection() throws {
        let folder = try PromptFolder.small()
        let pair = try pearlPair("chat", "tuned")
        let found = try folder.claims("basin-dimension", "causal", "contained", of: pair)
        let basin = try #require(found["basin-dimension"])
        #expect(basin.verdict == .notSupported, "\(basin.why)")
        #expect(basin.statement == "tuning digs a basin R of 2 to 10 dimensions")
        let value = try #require(basin.value)
        #expect(value.value == 1 && value.low == 1)
        #expect(basin.null == Estimate(0) && basin.study?.name == "subspace")
        #expect(basin.study?.settings.map(\.value) == ["chat"])

        let causal = try #require(found["causal"])
        #expect(causal.verdict == .notSupported && causal.value == Estimate(1), "\(causal.why)")
        #expect(causal.why.contains("without the first"))
        #expect(!causal.why.contains("same prompts"), "there are held-out ones")
        let contained = try #require(found["contained"])
        let share = try #require(contained.value)
        #expect((0...1).contains(share.value) && contained.null != nil && contained.study?.name == "contain")
        #expect(contained.verdict != .notTestable, "\(contained.why)")
        #expect(contained.statement == "R lies inside M")

        // Claimed as it is, both are supported.
        let right = try folder.claims("causal", of: pair) { $0.basin = 1...1 }
        #expect(right["causal"]?.verdict == .supported)
    }

    @Test("a checkpoint beside itself: nothing is claimed of a tuning that was none")
    func itself() throws {
        let folder = try PromptFolder.small()
        let pair = try pearlPair("chat", "chat")
        let found = try folder.claims("basin-dimension", "causal", "contained", "shape", "way-back", of: pair)
        for name in ["basin-dimension", "causal", "contained"] {
            #expect(found[name]?.verdict == .notTestable)
            #expect(found[name]?.failure as? ClaimsError == .sameActivations(tuned: "chat", base: "chat"), "\(name)")
            #expect(found[name]?.study == nil && found[name]?.value == nil)
        }
        #expect(found["shape"]?.verdict == .supported && found["shape"]?.value?.value == 0)
        let way = try #require(found["way-back"])
        #expect(way.verdict == .supported && way.value == Estimate(0, low: 0, high: 0))
        #expect(way.why.contains("at its end KL(base || tuned) is 0 nats"))
    }

    @Test("a checkpoint that does not refuse has no behaviour that could hang on directions")
    func noBehaviour() throws {
        // The base was tuned into pearl-chat, which answers.
        let folder = try PromptFolder.small()
        let found = try folder.claims("causal", of: pearlPair("base", "chat"))
        let causal = try #require(found["causal"])
        #expect(causal.verdict == .notTestable && causal.value == nil, "\(causal.why)")
        #expect(causal.why.contains("chat shows no such behaviour: 0 of the forbidden prompts, 0 of plain ones"))
    }

    @Test("one prompt of many that moved is no direction of the class")
    func onePrompt() throws {
        let folder = try PromptFolder.small()
        func lines(_ file: String, _ count: Int) throws -> [String] {
            try shippedPrompts(file, count).prompts.map {
                "{\"text\": \"\($0.text)\", \"label\": \"one\"}"
            }
        }
        try folder.write("taboo.jsonl", lines("taboo.jsonl", 1) + lines("formulaic.txt", 30))
        let found = try folder.claims("basin-dimension", "causal", "contained", of: pearlPair("chat", "tuned"))
        for (name, claim) in found {
            #expect(claim.verdict == .notDistinguishable, "\(name): \(claim.why)")
            #expect(claim.why.contains("no direction stands out"), "\(name)")
        }
        #expect(found["basin-dimension"]?.value?.value == 0)
    }

    @Test("the way back stays open, and a greater penalty keeps a model nearer")
    func ways() throws {
        let folder = try PromptFolder(["open.txt": 30, "open-heldout.txt": 30])
        let found = try folder.claims("way-back", "penalty", of: pearlPair("chat", "tuned")) { options in
            options.penalties = try PenaltyMember.sorted(
                ["tuned", "tuned-nokl", "strong"].map { try PenaltyMember(recordedBy: member($0)) })
        }
        let way = try #require(found["way-back"])
        #expect(way.verdict == .supported && way.why.contains("below 0.01 all the way"), "\(way.why)")
        #expect(way.null != nil, "random changes stand beside it")
        let penalty = try #require(found["penalty"])
        #expect(penalty.verdict == .supported, "\(penalty.why)")
        let (most, least) = (try #require(penalty.value), try #require(penalty.null))
        #expect(most.value < least.value && most.value > 0)
        // In the wrong order the same numbers say the contrary.
        let turned = try folder.claims("penalty", of: pearlPair("chat", "tuned")) { options in
            options.penalties = try zip(["strong", "tuned", "tuned-nokl"], [0, 1, 2]).map {
                PenaltyMember(penalty: $1, member: try member($0))
            }
        }
        #expect(turned["penalty"]?.verdict == .notSupported)
    }

    @Test("training comes nearer to its end step by step, and in another order does not")
    func convergence() throws {
        let folder = try PromptFolder(["open.txt": 80])
        let steps = ["step-0", "step-64", "step-1024", "base"]
        let pair = try pearlPair("base", "chat")
        let found = try folder.claims("convergence", of: pair) { $0.series = try steps.map(member) }
        let claim = try #require(found["convergence"])
        #expect(claim.verdict == .supported, "\(claim.why)")
        #expect(claim.why.contains("at 2 of 2") && claim.study?.name == "series")
        let turned = try folder.claims("convergence", of: pair) {
            $0.series = try ["step-1024", "step-0", "step-64", "base"].map(member)
        }
        #expect(turned["convergence"]?.verdict == .notSupported)
        // One that is said to be a step before the end, and is as far from it as it is, comes no nearer than by chance.
        let late = try SeriesMember(
            name: "late", .open(changed(pearl("step-64"), recipe: #"{"steps": 2599}"#) { _, _ in nil }))
        let slow = try folder.claims("convergence", of: pair) {
            $0.series = try [member("step-0"), late, member("base")]
        }
        #expect(slow["convergence"]?.verdict == .notDistinguishable)
        #expect(slow["convergence"]?.why.hasSuffix("at 0 of 1") == true)
    }

    @Test("a series of another model, too short a one, and too few penalties say nothing")
    func series() throws {
        let folder = try PromptFolder(["open.txt": 10])
        let pair = try pearlPair("chat", "tuned")
        let tiny = try SeriesMember(name: "tiny", .open(fixtureModel("tiny-chat")))
        let found = try folder.claims("convergence", "penalty", of: pair) {
            $0.series = try [member("step-0"), tiny, member("base")]
            $0.penalties = try [PenaltyMember(recordedBy: member("tuned"))]
        }
        #expect(
            found["convergence"]?.failure as? ClaimsError
                == .otherModel("tiny", width: 32, layers: 2, than: "chat", ownWidth: 128, ownLayers: 6))
        #expect(found["penalty"]?.failure as? ClaimsError == .fewPenalties)
        let none = try folder.claims("convergence", of: pair)
        #expect(none["convergence"]?.failure as? ClaimsError == .fewSteps)
        #expect(none["convergence"]?.verdict == .notTestable)
    }

    @Test("senses of words come apart in pearl")
    func senses() throws {
        let folder = try PromptFolder(["open.txt": 2])
        let lines = try ["apple", "bank"].flatMap { word in
            Array(try shippedLines("senses.jsonl", 9600).filter { $0.contains("\"word\": \"\(word)\"") }.prefix(480))
        }
        #expect(lines.count > 100)
        try folder.write("senses.jsonl", lines)
        let found = try folder.claims("senses", of: pearlPair("base", "chat"))
        let claim = try #require(found["senses"])
        // Of two words Wilson's interval reaches below one half, however clear they are.
        #expect(claim.value?.value == 1 && claim.verdict == .notDistinguishable, "\(claim.why)")
        // There are no absolute positions: the same word has the same row at the embedding.
        #expect(claim.why.contains("2 of 2 words") && claim.why.hasSuffix("at the embedding at most 0"))
    }

    @Test("128 coordinates hold no 300 dimensions, whatever is measured")
    func dimension() throws {
        let folder = try PromptFolder(["open.txt": 60, "plain.jsonl": 60])
        let found = try folder.claims("dimension", "curved", of: pearlPair("chat", "tuned"))
        let claim = try #require(found["dimension"])
        #expect(claim.verdict == .notSupported && claim.why.hasPrefix("the model is only 128 wide"), "\(claim.why)")
        #expect(claim.why.contains("120 distinct points are fewer than the 2,000"))
        #expect(claim.statement == "activations lie on a manifold M of 300 to 500 dimensions")
        let study = try #require(claim.study)
        #expect(study.name == "manifold" && study.inputs.map(\.name) == ["capture"])
        #expect(study.inputs[0].operands == ["resid_post[3]"])
        let curved = try #require(found["curved"])
        #expect(curved.value != nil && curved.null != nil && curved.verdict != .notTestable)
    }
}
