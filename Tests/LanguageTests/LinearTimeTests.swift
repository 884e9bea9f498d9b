import TestSupport
import Testing

@testable import Language

/// Reading a line takes time in proportion to its length, and a command that arrives in lines is read once.
@Suite("Kind J: the language is linear")
struct LinearTimeTests {
    /// Texts of the signs that mean something to the lexer, at random.
    private static func text(_ random: inout some RandomNumberGenerator, length: Int) -> String {
        let signs = [
            "'", "\"", "\\", "$", "${a:-", "${a", "}", "a", "expect ", " ", "#", "|", ">", "\n", "\r", "=", "é",
        ]
        return (0..<length).map { _ in signs.randomElement(using: &random)! }.joined()
    }

    @Test("lines that arrive one by one make the same tokens as the whole text, and ask for more at the same places")
    func pieces() {
        var random = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let text = Self.text(&random, length: Int.random(in: 1...24, using: &random))
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            var pending = PendingCommand()
            var joined = ""
            for (index, line) in lines.enumerated() {
                let needsMore = pending.append(line)
                joined += index == 0 ? line : "\n" + line
                #expect(needsMore == Parser.needsContinuation(joined), "\(text.debugDescription), line \(index)")
                // A command that is complete runs, and the next line begins another.
                if !needsMore { break }
            }
            #expect(pending.text == joined)
            var whole = Lexer(Array(text.utf8), isExpression: Parser.takesExpression)
            whole.scan()
            var parts = Lexer(Array(lines[0].utf8), isExpression: Parser.takesExpression)
            parts.scan()
            for line in lines.dropFirst() where parts.ending != .complete {
                parts.append(line: line.utf8)
                parts.scan()
            }
            guard parts.ending != .complete || parts.end == whole.end else { continue }
            #expect(parts.tokens == whole.tokens && parts.ending == whole.ending, "\(text.debugDescription)")
        }
    }

    /// Measures what is done with a size and with four times as much. Work that grows with the square takes 16 times as
    /// long.
    private static func grows(_ size: Int, _ work: (Int) -> Void) -> Bool {
        let times = [size, 4 * size].map { size in ContinuousClock().measure { work(size) } }
        return times[1] > times[0] * 9 + .milliseconds(300)
    }

    @Test("a quote that stays open over many lines, with quotes in each")
    func openQuote() {
        let grows = Self.grows(4000) { lines in
            var pending = PendingCommand()
            var isOpen = pending.append("next 'a")
            for _ in 0..<lines { isOpen = pending.append("it''s open \"'' b") && isOpen }
            #expect(isOpen)
        }
        #expect(!grows)
    }

    @Test(
        "signs by the thousand",
        arguments: [
            "${a:-", "$a ", "\"$a\" ", "'x' ", "a>b", "| ", "expect |", "\\\n", "a=b ", "# ", "'", "\"", "${", "$@ ",
            "${a:-}",
        ])
    func signs(_ sign: String) {
        let grows = Self.grows(4000) { count in
            let text = String(repeating: sign, count: count)
            _ = Parser.commands(in: text)
            _ = Parser.commands(in: String(repeating: sign + "\n", count: count))
            _ = Parser.needsContinuation(text)
            _ = try? Parser.parse("x " + text, expanding: Expansion(["a": "b"]))
            _ = Parser.completionContext(text, cursor: text.utf8.count)
        }
        #expect(!grows)
    }

    @Test("names and texts of variables are counted as they are set")
    func variables() {
        var variables = Variables()
        let half = String(repeating: "x", count: Variables.mostBytes / 2)
        #expect(variables.set("a", to: half) && variables.set("a", to: half) && !variables.set("b", to: half))
        #expect(variables["b"] == nil && variables.set("a", to: "") && variables.set("b", to: half))
        #expect(variables.sorted.map(\.name) == ["a", "b"] && variables["a"] == "")
        let grows = Self.grows(4000) { count in
            var variables = Variables()
            for number in 0..<count { _ = variables.set("v\(number)", to: "") }
        }
        #expect(!grows)
    }

    @Test("a list of ranges is bounded")
    func numbers() {
        #expect(NumberRange.list(String(repeating: "1..1000,", count: 9) + "1")?.count == 1000)
        #expect(NumberRange.list(String(repeating: "1..1000,", count: 20_000) + "1") == nil)
    }

    @Test("a command is judged before its variables are put in, and what they add is judged as it grows")
    func bounded() throws {
        let large = String(repeating: "x", count: Parser.mostBytes / 2)
        #expect(try Parser.parse("let a = $x", expanding: Expansion(["x": large])).words.count == 4)
        for line in ["let a = $x$x", "let a = \"$x $x\"", "let a = $x $x", String(repeating: "$x", count: 100_000)] {
            let error = #expect(throws: ParserError.self) { try Parser.parse(line, expanding: Expansion(["x": large])) }
            #expect(error?.message.contains("more than 1 MB") == true, "\(String(describing: error))")
        }
        let arguments = Expansion(arguments: Array(repeating: "", count: 2000))
        let error = #expect(throws: ParserError.self) {
            try Parser.parse("a " + String(repeating: "$@ ", count: 2000), expanding: arguments)
        }
        #expect(error?.message.contains("more than 1 MB") == true)
        let long = #expect(throws: ParserError.self) { try Parser.parse(String(repeating: "a", count: 2 << 20)) }
        #expect(long?.message.contains("is a quote not closed?") == true)
    }
}
