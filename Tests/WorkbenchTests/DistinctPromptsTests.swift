import Checkpoints
import Control
import LinearAlgebra
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("The unit is the distinct prompt")
struct DistinctPromptsTests {
    private func set(_ prompts: [(text: String, label: String, answers: [String])]) -> PromptSet {
        PromptSet(
            source: "s", prompts: prompts.map { .init(text: $0.text, label: $0.label, answers: $0.answers) },
            isChat: true, isRendered: false)
    }

    private func premises(_ body: (RunContext) throws -> Void) rethrows -> [Premise] {
        let told = Told()
        try body(.testing(tell: told.tell))
        return told.events.compactMap { if case .premise(let premise) = $0 { premise } else { nil } }
    }

    @Test("the first copy stays, with the answers of all, in the order of the set")
    func first() {
        let whole = set([("a", "x", ["1"]), ("b", "x", []), ("a", "y", ["2", "1"]), ("a", "x", []), ("c", "", [])])
        let distinct = DistinctPrompts(whole)
        #expect(distinct.set.prompts.map(\.text) == ["a", "b", "c"] && distinct.set.places == [0, 1, 4])
        #expect(distinct.set.prompts[0] == .init(text: "a", label: "x", answers: ["1", "2"]))
        #expect(distinct.total == 5 && distinct.otherLabels == [2] && distinct.set.isChat)
        let again = DistinctPrompts(distinct.set)
        #expect(again.set.prompts == distinct.set.prompts && again.premises(name: "s").isEmpty)
    }

    @Test("texts are compared by their characters: case and blanks tell them apart")
    func equality() {
        #expect(DistinctPrompts(promptSet(["a", "A", "a ", "a\u{300}", "\u{E0}", "a"])).set.prompts.count == 4)
    }

    @Test("what there is to say is told once for each set")
    func told() throws {
        let copies = set([("a", "x", []), ("a", "y", []), ("b", "", [])])
        #expect(
            premises { _ = $0.distinct(copies, name: "p") } == [
                .copies(set: "p", distinct: 2, total: 3), .copiesWithOtherLabels(set: "p", places: [1]),
            ])
        #expect(premises { _ = $0.distinct(promptSet(["a", "b"]), name: "p") }.isEmpty)
        #expect(
            premises { $0.checkApart(("p", promptSet(["a", "a", "b", "c"])), ("q", promptSet(["b", "a", "d"]))) }
                == [.sharedTexts("p", "q", count: 2, example: "a")])
        #expect(premises { $0.checkApart(("p", promptSet(["a"])), ("q", promptSet(["b"]))) }.isEmpty)
    }

    @Test("sets that are joined, or of which some prompts are taken, keep how they were read and their names")
    func copiesOfSets() throws {
        let rendered = PromptSet(
            source: "f", prompts: ["a", "b", "a"].map { .init(text: $0) }, isChat: false, isRendered: true)
        let joined = PromptSet(joining: [rendered, rendered], called: "p+q")
        #expect(joined.isRendered && joined.prompts.count == 6 && joined.title == .set("p+q"))
        let some = DistinctPrompts(rendered.called("p")).set
        #expect(some.isRendered && some.title == .set("p") && some.places == [0, 1])
        #expect(some.selecting([1]).subject(0) == "prompt 2 of p" && rendered.name == "f")
    }

    @Test("of pairs each counts once; a text in two pairs stays in both")
    func pairs() throws {
        let (first, second) = (promptSet(["a", "a", "b", "a"]), promptSet(["x", "x", "y", "z"]))
        let told = try premises {
            let pairs = try $0.distinctPairs(("p", first), ("q", second))
            #expect(pairs.0.prompts.map(\.text) == ["a", "b", "a"] && pairs.1.prompts.map(\.text) == ["x", "y", "z"])
        }
        #expect(told == [.copiedPairs("p", "q", distinct: 3, total: 4)])
        let uneven = try RunContext.testing().distinctPairs(("p", first), ("q", promptSet(["x", "x"])))
        #expect(uneven.0.prompts.count == 4 && uneven.1.prompts.count == 2)
    }

    @Test("pairs of which reading left out different lines are refused")
    func shifted() throws {
        func lost(_ lines: [Int]) -> PromptSet {
            var losses = ReadingLosses()
            losses.blank = lines
            return PromptSet(source: "s", prompts: [.init(text: "a"), .init(text: "b")], isChat: false, losses: losses)
        }
        let context = RunContext.testing()
        _ = try context.distinctPairs(("p", lost([3])), ("q", lost([3])))
        let refusal = WorkbenchError.differentLosses("p", "q", lines: [3], otherLines: [])
        #expect(throws: refusal) { try context.distinctPairs(("p", lost([3])), ("q", lost([]))) }
        #expect(refusal.description.contains("(line 3; none)"))
    }

    @Test("rows of captures are those of the first copies of their prompts")
    func captures() throws {
        func capture(_ texts: [String], rows: [Int], recipe: String = "{}") -> Capture {
            Capture(
                sites: [("blocks.0.hook_resid_post", Matrix(rows: rows.count, columns: 1))],
                rows: rows.map { .init(prompt: Int32($0), position: 0, token: 0) },
                prompts: texts.map { .init(text: $0, label: "") }, recipe: recipe)
        }
        let copies = capture(["a", "b", "a"], rows: [0, 0, 1, 2, 2]), single = capture(["c", "d"], rows: [0, 1])
        let context = RunContext.testing()
        let kept = try context.distinctRows(("p", copies), ("q", single), isPaired: false)
        #expect(kept.0 == [0, 1, 2] && kept.1 == nil)
        let pairs = try context.distinctRows(
            ("p", capture(["a", "b", "a"], rows: [0, 1, 2])), ("q", capture(["c", "d", "c"], rows: [0, 1, 2])),
            isPaired: true)
        #expect(pairs.0 == [0, 1] && pairs.1 == [0, 1])

        // Captures whose recipes say which lines were left out are pairs only if these are the same; others are as before.
        func lost(_ lines: [Int]?) -> Capture {
            capture(["a", "b"], rows: [0, 1], recipe: lines.map { "{\"empty_lines\": \($0)}" } ?? "{}")
        }
        #expect(lost([3, 5]).linesWithoutText == [3, 5] && lost(nil).linesWithoutText == nil)
        for (one, other) in [([3], [3]), ([3], nil), (nil, [3]), (nil, nil)] as [([Int]?, [Int]?)] {
            let found = try context.distinctRows(("p", lost(one)), ("q", lost(other)), isPaired: true)
            #expect(found.0 == nil && found.1 == nil)
        }
        #expect(throws: WorkbenchError.differentLosses("p", "q", lines: [3], otherLines: [])) {
            try context.distinctRows(("p", lost([3])), ("q", lost([])), isPaired: true)
        }
        _ = try context.distinctRows(("p", lost([3])), ("q", lost([])), isPaired: false)
    }
}
