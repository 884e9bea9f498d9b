import Testing

@testable import LineEditor

@Suite struct CompletionPlanTests {
    private func plan(_ line: String, at start: Int, _ candidates: Completion.Candidate...) throws -> CompletionPlan {
        try #require(CompletionPlan(Completion(replaceStart: start, candidates: candidates), line: line))
    }

    @Test func aLoneCandidateIsInsertedWithASuffix() throws {
        let plan = try plan("open pe", at: 5, "pearl.h5")
        #expect(plan.common == "pearl.h5")
        #expect(plan.append == UInt8(ascii: " "))
        #expect(plan.replaceStart == 5)
    }

    @Test func aPartialCandidateGetsNoSuffixAndNoClosingQuote() throws {
        let plan = try plan("open \"Che", at: 5, .init("Check points/", isPartial: true))
        #expect(plan.common == "\"Check points/")
        #expect(plan.append == nil)
    }

    @Test func severalInsertWhatTheyShare() throws {
        let plan = try plan("open my", at: 5, "my file.h5", "my other.h5")
        #expect(plan.common == #"my\ "#)
        #expect(plan.entries.map(\.inserted) == [#"my\ file.h5"#, #"my\ other.h5"#])
        #expect(plan.entries.map(\.shown) == ["my file.h5", "my other.h5"])
    }

    @Test func theOpenQuoteDecides() throws {
        #expect(try plan("x 'it", at: 2, "it's").common == #"'it'\''s'"#)
        #expect(try plan("x \"a", at: 2, "a$\"\\b").common == #""a\$\"\\b""#)
        #expect(try plan("x ", at: 2, "#a>b|c").common == ##"\#a\>b\|c"##)
        #expect(try plan("x 'a", at: 2, "ab c", "ab d").common == "'ab ")
    }

    @Test func sharedTextEndsBetweenScalars() throws {
        // é and è share their first byte.
        #expect(try plan("x a", at: 2, "aé", "aè").common == "a")
    }

    @Test func typedTextIsNeverTakenAway() throws {
        #expect(try plan("x PE", at: 2, "pearl", "other").common == "PE")
    }

    @Test func controlSequencesAreListedEscapedAndNeverInserted() throws {
        let lone = try plan("open e", at: 5, "evil\u{1B}[31m")
        #expect(lone.common == "evil")
        #expect(lone.append == nil)
        #expect(lone.entries == [.init(inserted: "evil", shown: #"evil\e[31m"#)])
        let several = try plan("open e", at: 5, "ev\u{202E}a", "ev\u{202E}b")
        #expect(several.common == "ev")
        #expect(several.entries.allSatisfy { $0.inserted == "ev" })
        #expect(try plan("open ", at: 5, "\u{7}", "a").common == "")
    }

    @Test func nonsenseFromACompleterIsRefused() {
        #expect(CompletionPlan(Completion(replaceStart: 9, candidates: ["a"]), line: "abc") == nil)
        #expect(CompletionPlan(Completion(replaceStart: -1, candidates: ["a"]), line: "abc") == nil)
        #expect(CompletionPlan(Completion(replaceStart: 0, candidates: []), line: "abc") == nil)
        // Inside é.
        #expect(CompletionPlan(Completion(replaceStart: 1, candidates: ["a"]), line: "é") != nil)
    }
}

@Suite struct PromptTests {
    @Test func coloursAreBracketedAndTheRestEscaped() {
        #expect(Prompt.bracketed("\u{1B}[1;34mpearl\u{1B}[0m> ") == "\u{1}\u{1B}[1;34m\u{2}pearl\u{1}\u{1B}[0m\u{2}> ")
        #expect(Prompt.bracketed("a\u{1B}[2J\u{1B}]0;t\u{7}\n\u{1}> ") == #"a\e[2J\e]0;t\u{7}\n\u{1}> "#)
        #expect(Prompt.bracketed("\u{1B}[31") == #"\e[31"#)
        #expect(Prompt.bracketed("\u{1B}") == #"\e"#)
    }
}
