import Language
import TestSupport
import Testing

@testable import LineEditor
@testable import Language

@Suite struct QuotingTests {
    @Test(arguments: [
        ("plain", "plain"), ("", "''"), ("a b", "'a b'"), ("it's", "\"it's\""), ("$x", "'$x'"),
        ("it's $5", #"'it'\''s $5'"#),
        ("#x", "'#x'"), ("a#b", "a#b"), ("x=y", "'x=y'"), ("--x=y", "--x=y"), ("=", "'='"), ("a>b", "'a>b'"),
        ("a\nb", "'a\nb'"),
        ("resid_post[0..2]", "resid_post[0..2]"), ("日本", "日本"),
    ])
    func quotesOnlyWhatNeedsIt(word: String, quoted: String) {
        #expect(Quoting.quote(word) == quoted)
    }

    /// Bytes that mean something come often, so that most lines reach deep into the parser.
    private func randomText(_ random: inout SplitMix) -> String {
        let special = Array("'\"\\$#=>|{}@ \t\n\r15ab_-.é~".utf8)
        let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
            Bool.random(using: &random)
                ? UInt8.random(in: 0...255, using: &random) : special.randomElement(using: &random)!
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func anyLineIsReadOrRefusedAndReprints() {
        var random = SplitMix(state: 20_260_101)
        let expansion = Expansion(["a": "'", "ab": "x y", "b": ""], arguments: ["1 1", ""])
        var read = 0
        for _ in 0..<20_000 {
            let line = randomText(&random)
            _ = Parser.needsContinuation(line)
            _ = Parser.completionContext(line, cursor: Int.random(in: 0...24, using: &random))
            guard let parsed = try? Parser.parse(line, expanding: expansion) else { continue }
            read += 1
            let words = parsed.words.map(\.text)
            let target = parsed.target.map { $0 + " = " } ?? ""
            let again = try? Parser.parse(target + Quoting.line(words))
            #expect(again?.words.map(\.text) == words && again?.target == parsed.target, "\(line.debugDescription)")
        }
        #expect(read > 5_000)
    }

    @Test func anyWordsReprint() {
        var random = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 1...4, using: &random)).map { _ in randomText(&random) }
            let line = Quoting.line(words)
            #expect(!Parser.needsContinuation(line))
            #expect((try? Parser.parse(line))?.words.map(\.text) == words, "\(line.debugDescription)")
            #expect(Parser.commands(in: line).map(\.text) == [line], "\(line.debugDescription)")
        }
    }

    @Test func commandsOfAnyTextAreCompleteButTheLast() {
        var random = SplitMix(state: 99)
        for _ in 0..<5_000 {
            let text = (0..<4).map { _ in randomText(&random) }.joined(separator: "\n")
            for command in Parser.commands(in: text).dropLast() {
                #expect(!Parser.needsContinuation(command.text), "\(text.debugDescription)")
            }
        }
    }

    @Test func completionQuotesAsTheParserReads() throws {
        var random = SplitMix(state: 3)
        for _ in 0..<5_000 {
            // Line breaks can't stand behind a backslash; the editor never inserts one.
            let word = randomText(&random).filter { $0 != "\n" && $0 != "\r\n" && $0 != "\r" }
            for style in [WordQuoting.bare, .single, .double] where !(word.isEmpty && style == .bare) {
                let line = "x " + style.quoted(word, closed: true)
                #expect((try? Parser.parse(line))?.words.map(\.text) == ["x", word], "\(line.debugDescription)")
                let open = "x " + style.quoted(word, closed: false)
                #expect(Parser.completionContext(open, cursor: .max).partial == word, "\(open.debugDescription)")
            }
        }
    }
}
