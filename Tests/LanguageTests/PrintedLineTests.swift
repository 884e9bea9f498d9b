import Language
import Testing

@testable import Language

@Suite("Printed lines")
struct PrintedLineTests {
    private func numbers(_ line: String) -> [String] {
        PrintedLine(line).tokens.compactMap { if case .number(let text, _) = $0 { text } else { nil } }
    }

    @Test(
        "numbers stand alone; digits in words, versions, sizes and quotes are text",
        arguments: [
            ("loss 7.06 nats, 12 tokens.", ["7.06", "12"]), ("-0.5 [-1e-05, 2.5e+07]", ["-0.5", "-1e-05", "2.5e+07"]),
            ("blocks.0.hook_resid_post L3H4 12kB 0x1f 1.2.3", []), ("0..4", ["0"]), ("resid_post[12] 5%", ["12", "5"]),
            ("\"12\" 13 \"14", ["13", "14"]), ("tiny-chat a-1", ["1"]), ("3e 3e5x 82fdf118de4c0748...", []),
            ("NaN Inf - --", []), ("{\"id\": 178, \"p\": 0.25}", ["178", "0.25"]), ("é4 4é", ["4", "4"]),
        ] as [(String, [String])])
    func numbers(line: String, expected: [String]) {
        #expect(numbers(line) == expected)
    }

    @Test(
        "lines that differ in numbers and the blanks around them have the same text",
        arguments: [
            ("   1  \"a\"      178", "1 \"a\" 9.5", true), ("loss 1 nats", "loss 2 nat", false),
            ("a  b", "ab", false), ("----  --", "-- -----", true), ("----  --", "----", false), ("- -", "- 5", false),
            ("x \"a  b\"", "x \"a b\"", false), ("", "", true), ("NaN", "0", false),
        ])
    func text(a: String, b: String, same: Bool) {
        #expect(PrintedLine(a).hasTheText(of: PrintedLine(b)) == same)
        #expect(PrintedLine(b).hasTheText(of: PrintedLine(a)) == same)
    }

    @Test(
        "what the timer prints is told from other lines",
        arguments: [
            ("wall 1.2 s, cpu 2 s, peak memory 3 MB", true), ("12.5 tokens/s", true), ("1.2e+04 tokens/s", true),
            ("some tokens/s", false), ("12 tokens", false), (" tokens/s", false),
        ])
    func timer(line: String, isTimer: Bool) {
        #expect(PrintedLine(line).isTimer == isTimer)
    }

    @Test("the largest difference is a share of the larger number")
    func differences() {
        func relative(_ a: String, _ b: String) -> Double? {
            PrintedLine(a).largestDifference(from: PrintedLine(b))?.relative
        }
        #expect(relative("4 5 x", "4 5 x") == nil)
        #expect(relative("4 5", "5 5") == 0.2)
        #expect(relative("1 100", "2 101") == 0.5)
        #expect(relative("-1", "1") == 2)
        #expect(relative("0", "1e-300") == 1)
        #expect(relative("1e308", "-1e308") == 2)
        #expect(relative("1e999", "1") == .infinity)
        #expect(relative("1.0", "1") == 0)
    }
}
