import Language
import LineEditor
import Testing

@testable import Language

@Suite struct CompletionContextTests {
    @Test(
        arguments: [
            ("", .command, [], "", 0), ("op", .command, [], "op", 0), ("open ", .command, ["open"], "", 5),
            ("open 'my fi", .command, ["open"], "my fi", 5), ("open my\\ fi", .command, ["open"], "my fi", 5),
            ("open \"my\" x", .command, ["open", "my"], "x", 10), ("x = op", .command, [], "op", 4),
            ("x = ", .command, [], "", 4),
            ("x=op", .command, [], "op", 2), ("x =op", .command, [], "op", 3), ("x=open f", .command, ["open"], "f", 7),
            ("let x=op", .command, ["let"], "x=op", 4), ("info > pe", .file, ["info"], "pe", 7),
            ("info >", .file, ["info"], "", 6),
            ("info >> ", .file, ["info"], "", 8), ("info > a b", .elsewhere, ["info", "a"], "b", 9),
            ("info | le", .elsewhere, ["info"], "", 9),
            ("info # x", .elsewhere, [], "", 8), ("open $dir/a", .command, ["open"], "$dir/a", 5),
            ("a\nb c", .command, ["b"], "c", 4),
            ("open ${a-b}", .command, ["open"], "${a-b}", 5), ("expect it >", .command, ["expect", "it"], ">", 10),
        ] as [(String, CompletionContext.Place, [String], String, Int)])
    func findsTheWord(line: String, place: CompletionContext.Place, words: [String], partial: String, start: Int) {
        #expect(
            Parser.completionContext(line, cursor: line.utf8.count)
                == CompletionContext(place: place, words: words, partial: partial, replaceStart: start))
    }

    @Test func looksOnlyUpToTheCursor() {
        let context = Parser.completionContext("open pearl 'x", cursor: 7)
        #expect(context.partial == "pe")
        #expect(Parser.completionContext("é", cursor: 1).partial == "\u{FFFD}")
        #expect(Parser.completionContext("a", cursor: -5).partial == "")
        #expect(Parser.completionContext("a", cursor: 99).partial == "a")
    }
}
