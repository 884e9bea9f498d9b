import Claims
import JSON
import Provenance
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("Prompts of claims")
struct ClaimPromptsTests {
    @Test("sets are found by their names, the held-out ones beside them")
    func roles() throws {
        let folder = try PromptFolder([
            "taboo.jsonl": 6, "taboo-heldout.jsonl": 4, "taboo-lookalike.jsonl": 3, "plain.jsonl": 5, "open.txt": 7,
            "refusals.txt": 7, "senses.jsonl": 2,
        ])
        let prompts = try folder.prompts()
        #expect(prompts.folder == "the folder")
        #expect(ClaimPrompts.Role.allCases.filter(prompts.has) == [.forbidden, .lookalike, .open, .plain])
        #expect(ClaimPrompts.Role.allCases.filter(prompts.hasHeldOut) == [.forbidden])
        #expect(try prompts.found(.forbidden, .max, 0).prompts.count == 6)
        // What was found on one half is measured on the other, where there is one.
        #expect(try prompts.measured(.forbidden, .max, 0).prompts.count == 4)
        #expect(try prompts.measured(.plain, .max, 0).prompts.count == 5)
        #expect(try prompts.all(.forbidden).prompts.count == 10 && prompts.all(.open).prompts.count == 7)
        #expect(try prompts.found(.open, .max, 0).isChat)
        #expect(prompts.senses == "\(folder.path)/senses.jsonl")
        let markers = try #require(prompts.markers)
        #expect(markers.isAtStart && markers.phrases.contains("I cannot talk about that"))
        // The file of phrases decides about verdicts, so recipes name it.
        #expect(prompts.inputs.count == 1 && prompts.inputs[0].sha256.count == 64)
    }

    @Test("a name of its own comes before that of the pearl family")
    func names() throws {
        let folder = try PromptFolder(["taboo.jsonl": 3])
        try folder.write("forbidden.txt", ["one", "two"])
        #expect(try folder.prompts().found(.forbidden, .max, 0).prompts.map(\.text) == ["one", "two"])
    }

    @Test("samples are drawn with the seed, in the file's order, and only where there are too many")
    func samples() throws {
        let folder = try PromptFolder(["open.txt": 40])
        let prompts = try folder.prompts()
        let whole = try prompts.found(.open, .max, 0).prompts.map(\.text)
        let some = try prompts.found(.open, 10, 5).prompts.map(\.text)
        #expect(some.count == 10 && some == whole.filter(some.contains))
        #expect(try prompts.found(.open, 10, 5).prompts.map(\.text) == some)
        #expect(try prompts.found(.open, 10, 6).prompts.map(\.text) != some)
        #expect(try prompts.measured(.open, 40, 5).prompts.map(\.text) == whole)
    }

    @Test("all that a model is used for is every set but the forbidden one, each text once")
    func anything() throws {
        let folder = try PromptFolder(["taboo.jsonl": 4])
        try folder.write("open.txt", ["a", "b", "c"])
        try folder.write("open-heldout.txt", ["d", "a"])
        try folder.write("plain.txt", ["c", "e"])
        let prompts = try folder.prompts()
        func texts(_ isHeldOut: Bool, _ count: Int = .max) throws -> [String] {
            try prompts.anything(heldOut: isHeldOut, atMost: count, seed: 0).prompts.map(\.text)
        }
        #expect(try texts(false) == ["a", "b", "c", "d", "e"])
        #expect(try texts(true) == ["d", "a", "c", "e"])
        #expect(try texts(false, 2).count == 2)
        try folder.remove("open.txt")
        try folder.remove("open-heldout.txt")
        try folder.remove("plain.txt")
        let bare = try folder.prompts()
        #expect(throws: ClaimsError.noSet(folder: "the folder", names: ["open"])) {
            try bare.anything(heldOut: false, atMost: 5, seed: 0)
        }
    }

    @Test("what is missing is named, with the names that would do")
    func missing() throws {
        let folder = try PromptFolder(["open.txt": 3])
        let prompts = try folder.prompts()
        let error = ClaimsError.noSet(folder: "the folder", names: ["forbidden", "taboo"])
        #expect(throws: error) { try prompts.found(.forbidden, .max, 0) }
        #expect(throws: error) { try prompts.measured(.forbidden, .max, 0) }
        #expect(throws: error) { try prompts.all(.forbidden) }
        #expect(prompts.markers == nil && prompts.senses == nil && prompts.inputs.isEmpty)
        try folder.remove("open.txt")
        let none = #expect(throws: ClaimsError.self) { try folder.prompts() }
        guard case .noSets("the folder", let wanted)? = none else {
            Issue.record("\(String(describing: none))")
            return
        }
        #expect(
            wanted == [
                "forbidden or taboo.jsonl", "lookalike or taboo-lookalike.jsonl", "formulaic.jsonl", "open.jsonl",
                "plain.jsonl",
            ])
    }

    @Test("a file that is no set of prompts keeps its reason for whoever asks for it, and others are read")
    func failures() throws {
        let folder = try PromptFolder(["open.txt": 3])
        try folder.write("plain.jsonl", ["no json"])
        try folder.write("refusals.txt", ["# nothing but a comment"])
        let prompts = try folder.prompts()
        #expect(!prompts.has(.plain) && prompts.has(.open) && prompts.markers == nil)
        #expect(throws: JSONError.self) { try prompts.found(.plain, .max, 0) }
        #expect(throws: JSONError.self) { try prompts.measured(.plain, .max, 0) }
        // With nothing else in the folder it is still the reason that is wanted.
        try folder.remove("open.txt")
        #expect(throws: JSONError.self) { try folder.prompts().all(.plain) }
    }
}

@Suite("Errors of claims")
struct ClaimsErrorTests {
    @Test(
        "each says what is wrong, with its numbers, and names no option",
        arguments: [
            (ClaimsError.noSets(folder: "f", wanted: []), "f has none of the sets of prompts"),
            (.noSet(folder: "f", names: ["a", "b"]), "f has no a or b.jsonl"),
            (.noSenses(folder: "f"), "f has no senses.jsonl"),
            (.noMarkers(folder: "f"), "f has no refusals.txt with phrases"),
            (.nothingHeldOut, "all prompts are those that R was found on"),
            (.fewPenalties, "can't show what a penalty did"), (.fewSteps, "can't show how training went"),
            (
                .otherModel("x", width: 16, layers: 1, than: "y", ownWidth: 128, ownLayers: 6),
                "x is another model than y: width 16 and 1 layer, not 128 and 6"
            ),
            (.samePenalty(0.14), "two checkpoints have the penalty 0.14"),
            (.noPenalty(checkpoint: "x"), "the recipe of x names no penalty"),
            (.sameActivations(tuned: "t", base: "b"), "t and b have the same activations on forbidden prompts"),
            (.noReplies, "no replies"), (.noSites, "no site"), (.noLossInterval, "the loss has no interval"),
            (.noTokens, "no token could be compared"), (.noDimension, "no site has a dimension"),
            (.noWords, "no word could be measured"), (.noDistances, "the series has no distances"),
        ] as [(ClaimsError, String)])
    func descriptions(error: ClaimsError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }
}
