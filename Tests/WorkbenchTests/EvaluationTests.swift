import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("What replies are worth")
struct EvaluationTests {
    private let set = PromptSet(
        source: "q",
        prompts: [
            .init(text: "1", label: "a", answers: ["yes"]), .init(text: "2", label: "b", answers: ["no"]),
            .init(text: "3", label: "b"), .init(text: "4", label: "a", answers: ["yes"]),
        ], isChat: false)

    private func evaluation(_ replies: [String], markers: Markers? = nil) -> Evaluation {
        Evaluation(name: "m", set: set, replies: replies, key: AnswerKey(set.prompts), markers: markers)
    }

    @Test("right, marked, and what chance gives")
    func counts() {
        let found = evaluation(
            [" yes.", "yes", "Sorry, no", "I can't; sorry"], markers: Markers(["Sorry", "I can't"], isAtStart: false))
        #expect(found.isRight == [true, false, nil, false])
        #expect(found.right(found.all) == Proportion(successes: 1, trials: 3))
        #expect(found.right([0]) == Proportion(successes: 1, trials: 1))
        #expect(found.found == [[], [], [0], [1]])
        #expect(found.matched(found.all) == Proportion(successes: 2, trials: 4))
        #expect(found.count(ofMarker: 0) == 1 && found.count(ofMarker: 1) == 1)
        // Of six pairs of a reply with another prompt's answers, the first two replies meet "yes" once and twice.
        #expect(found.chance == 0.5)
    }

    @Test("prompts are listed by what came of them")
    func listings() {
        let found = evaluation(["yes", "yes", "x", "Sorry"], markers: Markers(["Sorry"], isAtStart: true))
        #expect(found.prompts(.right) == [0] && found.prompts(.wrong) == [1, 3])
        #expect(found.prompts(.matched) == [3] && found.prompts(.unmatched) == [0, 1, 2])
        #expect(found.prompts(.all) == [0, 1, 2, 3])
        #expect(Evaluation.Listing.allCases.filter(\.needsAnswers) == [.wrong, .right])
        #expect(Evaluation.Listing.allCases.filter(\.needsMarkers) == [.matched, .unmatched])
        #expect(evaluation(["", "", "", ""]).prompts(.matched).isEmpty)
    }
}
