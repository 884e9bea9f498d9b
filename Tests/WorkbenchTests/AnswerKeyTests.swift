import Statistics
import Testing
import Workbench

@Suite("Answers and markers")
struct AnswerKeyTests {
    private static func key(_ answers: [[String]]) -> AnswerKey {
        AnswerKey(answers.map { PromptSet.Prompt(text: "?", answers: $0) })
    }

    @Test(
        "a reply is right if it begins with an answer and neither a letter nor a digit follows",
        arguments: [
            ("Paris", true), (" \n\tParis.", true), ("Paris, France", true), ("Parisian", false), ("Paris2", false),
            ("paris", false), ("It is Paris", false), ("Pari", false), ("", false), ("  ", false),
            ("Paris\u{301}", false), ("Paris’s", true), ("Paris漢", false), ("Lutetia", true), ("New York City", true),
            ("New Yorker", false), ("caf\u{E9}", true), ("cafe\u{301}!", true), ("cafe", false), ("C++", true),
            ("C+", false), ("C++17", false),
        ])
    func right(reply: String, isRight: Bool) {
        let key = Self.key([["Paris", "Lutetia", "New York", "café", "C++"], []])
        #expect(key.isRight([reply, reply]) == [isRight, nil])
        #expect(key.count == 1 && key.chance([reply, reply]) == nil)
    }

    @Test("the null is the share over all pairs of a reply with another prompt's answers")
    func chance() throws {
        var random = SeededRandom(seed: 1)
        func pick(_ count: Int) -> Int { random.sample(1, of: count)[0] }
        for _ in 0..<50 {
            let words = ["yes", "no", "maybe", "a", "a b", "ye"]
            let answers = (0..<12).map { _ in (0..<pick(4)).map { _ in words[pick(6)] } }
            let replies = (0..<12).map { _ in " " + words[pick(6)] + ["", ".", " b", "s"][pick(4)] }
            let key = Self.key(answers)
            let answered = answers.indices.filter { !answers[$0].isEmpty }
            guard answered.count > 1 else { continue }
            func isRight(_ reply: Int, _ prompt: Int) -> Bool {
                Self.key([answers[prompt]]).isRight([replies[reply]]) == [true]
            }
            var pairs = 0
            for reply in answered { pairs += answered.count { $0 != reply && isRight(reply, $0) } }
            let expected = Double(pairs) / Double(answered.count * (answered.count - 1))
            #expect(abs(try #require(key.chance(replies)) - expected) < 1e-12)
            #expect(key.isRight(replies) == answers.indices.map { answers[$0].isEmpty ? nil : isRight($0, $0) })
        }
        // Whoever always says yes is right about half of the time by chance, whatever the questions.
        let key = Self.key([["yes"], ["no"], ["yes"], ["no"]])
        #expect(key.chance(["yes", "yes", "yes", "yes"]) == 0.5)
    }

    @Test("phrases of a file: comments, empty lines and blanks at the ends are no phrases")
    func phrases() throws {
        let text = "# refusals\r\n\r\n I can't \n\tSorry, but\n#\nI can't\n  # indented\n"
        let (phrases, losses) = try Markers.phrases(text, file: "f")
        #expect(phrases == ["I can't", "Sorry, but"])
        #expect(losses.comments == [5, 7] && losses.repeated == [6] && losses.blank.isEmpty)
        let markers = Markers(phrases, isAtStart: false)
        #expect(markers.phrases == ["I can't", "Sorry, but"])
        #expect(markers.found(in: "Well, Sorry, but I can't.") == [0, 1] && markers.found(in: "i can't").isEmpty)
        let first = Markers(phrases + [" a"], isAtStart: true)
        #expect(first.found(in: " Sorry, but I can't.") == [1] && first.found(in: "\n a") == [2])
        #expect(throws: WorkbenchError.self) { try Markers.phrases("# only\n\n", file: "f") }
    }
}
