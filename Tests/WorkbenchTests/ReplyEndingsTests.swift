import Control
import Models
import Sites
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("How replies ended")
struct ReplyEndingsTests {
    private func decoded(
        _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], _ choices: DecodingChoices
    ) throws -> Decoding {
        let decoding = try Decoding(NamedCheckpoint("m", checkpoint), ids, set: nil, choices: choices)
        try decoding.run(.testing(), precision: .f32)
        _ = decoding.made.finish()
        return decoding
    }

    private func plain(_ count: Int) throws -> (LoadedCheckpoint, [[Int32]]) {
        let tuned = try pearl("tuned")
        let set = try shippedPrompts("plain-heldout.jsonl", count, isChat: true)
        return (tuned, try tuned.encode(set, in: .testing()).ids)
    }

    private func counts(_ endings: ReplyEndings) -> [Int] { ReplyEndings.Kind.allCases.map(endings.count) }

    @Test("end token, cut off at the limit, stop string")
    func kinds() throws {
        let (tuned, ids) = try plain(4)
        let whole = try decoded(tuned, ids, DecodingChoices(tokens: 40, seed: 0))
        #expect(counts(ReplyEndings(whole)) == [4, 0, 0, 0, 0])
        let cut = ReplyEndings(try decoded(tuned, ids, DecodingChoices(tokens: 1, seed: 0)))
        #expect(counts(cut) == [0, 0, 4, 0, 0] && cut.cut == 4 && cut.total == 4 && cut.limit == 1)
        #expect(cut.cutPlace == "1 token")
        let text = try #require(whole.made.wholeTexts.first)
        let stop = String(try #require(text.dropFirst(3).first { $0.isLetter }))
        let stopped = try decoded(tuned, [ids[0]], DecodingChoices(tokens: 40, seed: 0, stops: [stop]))
        #expect(counts(ReplyEndings(stopped)) == [0, 1, 0, 0, 0])
    }

    @Test("each continuation says how it ended in the words by which endings are counted")
    func words() throws {
        let (tuned, ids) = try plain(3)
        for (tokens, kind) in [(1, ReplyEndings.Kind.cutOff), (40, .endToken)] {
            let made = try decoded(tuned, ids, DecodingChoices(tokens: tokens, seed: 0))
            #expect(made.made.results.map(\.end) == Array(repeating: kind.rawValue, count: 3))
            #expect(ReplyEndings(made).count(kind) == 3)
        }
        #expect(ReplyEndings.Kind.cutOff.rawValue == "cut off")
    }

    @Test("a stop string that comes first leaves an empty reply, and so does an end token")
    func empty() throws {
        let (tuned, ids) = try plain(3)
        let first = try decoded(tuned, [ids[0]], DecodingChoices(tokens: 40, seed: 0)).made.wholeTexts[0]
        let stop = String(try #require(first.first))
        let stopped = ReplyEndings(try decoded(tuned, [ids[0]], DecodingChoices(tokens: 40, seed: 0, stops: [stop])))
        #expect(counts(stopped) == [0, 1, 0, 0, 1] && stopped.isMostlyEmpty && !stopped.isMostlyCut)
        // After a whole reply the model ends the text at once.
        let replies = try decoded(tuned, ids, DecodingChoices(tokens: 40, seed: 0)).made.results
        let done = zip(ids, replies).map { $0 + $1.tokens.map(\.id) }
        let ended = ReplyEndings(
            try decoded(tuned, done, DecodingChoices(tokens: 24, seed: 0)), markers: Markers(["No"], isAtStart: true))
        #expect(counts(ended) == [3, 0, 0, 0, 3] && ended.isMostlyEmpty && ended.undecided == 0)
    }

    @Test("a full context cuts a reply off, or lets none begin")
    func fullContext() throws {
        let tiny = try fixtureModel("tiny-chat")
        let most = try tiny.configuration().maxPositions
        let long = [Int32](repeating: 5, count: most)
        let choices = DecodingChoices(tokens: 8, seed: 0, ignoresEnd: true)
        let found = ReplyEndings(try decoded(tiny, [Array(long.dropLast(2)), long, [5, 6]], choices))
        #expect(counts(found).prefix(4) == [0, 0, 1, 2] && found.count(.empty) >= 1 && found.cut == 3)
        #expect(found.cutPlace == "8 tokens or a full context")
        #expect(ReplyEndings(try decoded(tiny, [long], choices)).cutPlace == "a full context")
    }

    @Test("a reply is undecided if what it is searched for might still have come")
    func undecided() throws {
        let any = Markers(["Sorry, but"], isAtStart: false)
        #expect(any.mayFollow("Well") && any.mayFollow("") && !any.mayFollow("Sorry, but no"))
        let first = Markers(["Sorry, but", "I can't"], isAtStart: true)
        #expect(first.mayFollow(" Sorry") && first.mayFollow("") && !first.mayFollow("Well"))
        #expect(!first.mayFollow("Sorry, but no") && !first.mayFollow("Sorry, Sir"))
        let key = AnswerKey([.init(text: "?", answers: ["Paris", "Lutetia"]), .init(text: "?")])
        #expect(key.mayFollow(" Par", prompt: 0) && key.mayFollow("Paris", prompt: 0) && key.mayFollow("", prompt: 0))
        #expect(!key.mayFollow("Paris,", prompt: 0) && !key.mayFollow("", prompt: 1) && !key.mayFollow("", prompt: 2))

        let (tuned, ids) = try plain(4)
        let cut = try decoded(tuned, ids, DecodingChoices(tokens: 1, seed: 0))
        #expect(ReplyEndings(cut).undecided == 0 && !ReplyEndings(cut).isMostlyCut)
        let sought = ReplyEndings(cut, markers: Markers(["nowhere"], isAtStart: false))
        #expect(sought.undecided == 4 && sought.isMostlyCut && sought.seeksPhrases)
        #expect(!ReplyEndings(cut, markers: Markers(["nowhere"], isAtStart: true)).isMostlyCut)
    }

    @Test("of several runs the one with the largest share is told, once for each reason")
    func premises() throws {
        let (tuned, ids) = try plain(2)
        let markers = Markers(["nowhere"], isAtStart: false)
        let cut = ReplyEndings(try decoded(tuned, ids, DecodingChoices(tokens: 1, seed: 0)), markers: markers)
        let whole = ReplyEndings(try decoded(tuned, ids, DecodingChoices(tokens: 40, seed: 0)), markers: markers)
        let told = Told()
        RunContext.testing(tell: told.tell).tellEndings([
            (name: "one", endings: whole), (name: "two", endings: cut), (name: "three", endings: cut),
            (name: nil, endings: ReplyEndings()),
        ])
        let premises = told.events.compactMap { if case .premise(let premise) = $0 { premise } else { nil } }
        #expect(premises == [.cutReplies(of: "two", cut, others: 1)])
        told.tell(.scopeEnded)
        RunContext.testing(tell: { _ in Issue.record("nothing is to be told") }).tellEndings([
            (name: nil, endings: whole)
        ])
    }
}
