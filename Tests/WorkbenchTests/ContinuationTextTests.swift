import Checkpoints
import TestSupport
import Testing
import Tokenizers
import Workbench

@Suite("Text of continuations")
struct ContinuationTextTests {
    private static func tokenizer(_ name: String = "llama3") throws -> Tokenizer {
        if name == "tiny-words" {
            let path = repositoryFile("Tests/Fixtures/models/tiny-words.h5")
            return try Tokenizer(json: try #require(try Checkpoint.open(path).tokenizerJSON()), label: name)
        }
        let file = repositoryFile("Tests/Fixtures/tokenizers/\(name).json")
        return try Tokenizer(json: readBytes(file), label: name)
    }

    private static let text = "The naïve café, 漢字 👨‍👩‍👧‍👦🙂 and\n\nEND of the lines.\nENDING e\u{301}nd x=1; "

    /// One token for each byte: every stop string and every character straddles tokens.
    private static func bytes(_ text: String, _ tokenizer: Tokenizer) -> [Int32] {
        text.unicodeScalars.flatMap { scalar in tokenizer.encode(String(scalar), addSpecialTokens: false) }
    }

    @Test(
        "comes in whole characters and is the decoded text in the end",
        arguments: ["llama3", "digits", "qwen2", "tiny-words"])
    func whole(name: String) throws {
        let tokenizer = try Self.tokenizer(name)
        for ids in [tokenizer.encode(Self.text, addSpecialTokens: false), Self.bytes(Self.text, tokenizer)] {
            var live = ContinuationText(tokenizer, stops: ["nowhere", "ENDS"])
            var pieces: [String] = []
            for id in ids { pieces.append(live.append(id)) }
            pieces.append(live.finish())
            let decoded = tokenizer.decode(ids, skipSpecialTokens: true)
            #expect(pieces.joined().unicodeScalars.elementsEqual(decoded.unicodeScalars))
            #expect(live.text.unicodeScalars.elementsEqual(decoded.unicodeScalars))
            #expect(live.whole == decoded)
            if decoded == Self.text { #expect(!pieces.contains { $0.contains("\u{FFFD}") }) }
            #expect(!live.isStopped)
        }
    }

    @Test(
        "ends before the first stop string, wherever tokens part",
        arguments: [
            (["END"], "and\n\n"), (["\nEND"], "and\n"), (["ENDING"], "lines.\n"), (["漢字"], "café, "), (["T"], ""),
            (["lines.\nENDING", "of the"], "END "), (["\n\n", "and"], "🙂 "), (["ENDIN", "x=1", "ENDX"], "lines.\n"),
        ])
    func stops(stops: [String], ending: String) throws {
        let tokenizer = try Self.tokenizer()
        for ids in [tokenizer.encode(Self.text, addSpecialTokens: false), Self.bytes(Self.text, tokenizer)] {
            var live = ContinuationText(tokenizer, stops: stops)
            var shown = ""
            var used = 0
            for id in ids where !live.isStopped {
                shown += live.append(id)
                used += 1
                // Nothing that is shown can be taken back.
                #expect(stops.allSatisfy { !shown.contains($0) })
            }
            #expect(live.isStopped && used < ids.count)
            #expect(live.append(ids[0]).isEmpty && live.finish().isEmpty)
            #expect(shown == live.text)
            #expect(Self.text.hasPrefix(shown) && shown.hasSuffix(ending))
        }
    }

    @Test("a beginning of a stop string is held back until it is none")
    func held() throws {
        let tokenizer = try Self.tokenizer()
        var live = ContinuationText(tokenizer, stops: ["abac"])
        let pieces = Self.bytes("xabababacz", tokenizer).map { live.append($0) }
        #expect(pieces == ["x", "", "", "", "ab", "", "ab", "", "", ""])
        #expect(live.text == "xabab" && live.isStopped)
        var other = ContinuationText(tokenizer, stops: ["abac"])
        #expect(Self.bytes("aba", tokenizer).map { other.append($0) } == ["", "", ""])
        #expect(other.finish() == "aba" && other.text == "aba")
    }

    @Test("bytes that are no text, and special tokens")
    func odd() throws {
        let tokenizer = try Self.tokenizer()
        let special = try #require(tokenizer.specialIDs.first)
        let bytes = tokenizer.encode("é", addSpecialTokens: false)
        // Half a character, many times over, then a whole one.
        let half = try #require(Self.halves(tokenizer).first)
        let ids = [special] + [Int32](repeating: half, count: 40) + [special] + bytes
        var live = ContinuationText(tokenizer, stops: ["é!"])
        var shown = ""
        for id in ids { shown += live.append(id) }
        shown += live.finish()
        #expect(shown == tokenizer.decode(ids, skipSpecialTokens: true))
        #expect(shown.unicodeScalars.count { $0 == "\u{FFFD}" } == 40)
    }

    /// Tokens of one byte that begins a character.
    private static func halves(_ tokenizer: Tokenizer) -> [Int32] {
        (0..<Int32(tokenizer.vocabularySize)).filter {
            tokenizer.decode([$0]) == "\u{FFFD}" && tokenizer.decode([$0, $0]) == "\u{FFFD}\u{FFFD}"
        }
    }
}
