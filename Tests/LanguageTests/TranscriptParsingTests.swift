import Language
import Testing

@testable import Language

@Suite("Reading transcripts")
struct TranscriptParsingTests {
    private func parse(_ text: String) throws -> Transcript { try Transcript(text, file: "t") }

    @Test("commands, their output and their lines; what is written again is the same text")
    func entries() throws {
        let text = """
            # a remark

            nacre> open a.h5
            a: 3 tensors
            tuned[-r[0]]> tokens "two
            lines" # more
            3 tokens

            a> b
            a>b
            9> c
            a > d

            """
        let transcript = try parse(text)
        #expect(transcript.preamble == ["# a remark", ""])
        #expect(transcript.entries.map(\.command) == ["open a.h5", "tokens \"two\nlines\" # more", "b"])
        #expect(transcript.entries.map(\.prompt) == ["nacre> ", "tuned[-r[0]]> ", "a> "])
        #expect(transcript.entries.map(\.line) == [3, 5, 9])
        #expect(transcript.entries[2].output == ["a>b", "9> c", "a > d"])
        #expect(transcript.text == text)
        #expect(try parse(text.replacing("\n", with: "\r\n")) == transcript)
    }

    @Test("a quote that is never closed is one line")
    func unclosed() throws {
        let transcript = try parse(
            "n> \"unclosed\nstdin:1: column 1: the quote \" is not closed\nn> x \\\nn> 'y\nmore\n")
        #expect(transcript.entries.map(\.command) == ["\"unclosed", "x \\", "'y"])
        #expect(transcript.entries[2].output == ["more"])
    }

    @Test(
        "a command's tolerance stands at its end or in the comments before it",
        arguments: [
            ("n> a # tolerance 0.02", .relative(0.02)), ("n> a #tolerance any", .any), ("n> a", nil),
            ("n> a '# tolerance 0.5'", nil), ("n> a # so # tolerance 0", .relative(0)),
            ("n> a # tolerance is low", nil), ("# tolerance 1\nn> a", .relative(1)),
            ("n> # tolerance 0.5\nn> a", .relative(0.5)), ("n> b\n# tolerance any\n\n# why\nn> a", .any),
            ("n> b\n# tolerance any\ntext\nn> a", nil), ("n> b # tolerance any\nn> a", nil),
            ("# tolerance any\nn> a # tolerance 0", .relative(0)),
        ] as [(String, Transcript.Tolerance?)])
    func tolerance(text: String, expected: Transcript.Tolerance?) throws {
        #expect(try parse(text + "\n").entries.last?.tolerance == expected)
    }

    @Test(
        "what is no transcript is refused",
        arguments: [
            ("", "t has no commands"), ("# only this\n", "t has no commands"),
            ("list\n", "t:1: a transcript begins with a command"), ("# a\nb\nn> c\n", "t:2: a transcript begins"),
            ("n> a # tolerance low\n", "t:1: the tolerance can't be \"low\""),
            ("n> a\n# tolerance -1\n", "t:2: the tolerance can't be \"-1\""),
            ("n> a # tolerance nan\n", "t:1: the tolerance"), ("n> a # tolerance 1.5\n", "t:1: the tolerance"),
        ])
    func refused(text: String, problem: String) {
        let error = #expect(throws: CommandError.self) { try parse(text) }
        #expect(error?.problem.hasPrefix(problem) == true, "\(error?.problem ?? "")")
        #expect(error?.exitCode == 2)
    }
}

@Suite("Comparing output")
struct OutputComparisonTests {
    private func compare(
        _ expected: [String], _ printed: [String], _ tolerance: Transcript.Tolerance = .standard
    ) -> OutputComparison {
        OutputComparison(expected, printed: printed.map { Tape.Line($0) }, tolerance: tolerance)
    }

    @Test("numbers may differ by the tolerance, and columns by their width")
    func numbers() {
        let expected = ["name   value", "----  ------", "a     0.1231", "b          2"]
        let printed = ["name  value", "----  -----", "a     0.123", "b         2"]
        #expect(compare(expected, printed).holds)
        #expect(compare(expected, printed).updated == expected)
        #expect(compare(expected, printed).largest?.line == 2)
        #expect(!compare(expected, printed, .relative(1e-4)).holds)
        #expect(!compare(expected, printed, .relative(0)).holds)
        #expect(compare(["1164 1"], ["1165 1"]).holds)
        #expect(!compare(["999"], ["998"]).holds)
        #expect(compare(["3 at 0.5 s"], ["99999 at -7e5 s"], .any).holds)
        #expect(!compare(["3 at 0.5 s"], ["3 at 0.5 ms"], .any).holds)
    }

    @Test("where no number has another text, blanks count")
    func blanks() {
        #expect(!compare(["a  b", "1"], ["a b", "1"]).holds)
        #expect(compare(["a  b", "1"], ["a b", "1.0"]).holds)
        #expect(compare(["a  b", "1"], ["a b", "1"]).changes == [.init(expected: 0..<1, printed: 0..<1)])
    }

    @Test("lines that are missing, added or replaced are found among the others")
    func lines() {
        let comparison = compare(["a", "b", "c", "d", "e"], ["a", "x", "c", "e", "f"])
        #expect(
            comparison.changes == [
                .init(expected: 1..<2, printed: 1..<2), .init(expected: 3..<4, printed: 3..<3),
                .init(expected: 5..<5, printed: 4..<5),
            ])
        #expect(comparison.updated == ["a", "x", "c", "e", "f"])
        #expect(compare([], ["a"]).changes == [.init(expected: 0..<0, printed: 0..<1)])
        #expect(compare(["a"], []).changes == [.init(expected: 0..<1, printed: 0..<0)])
        #expect(compare([], []).holds)
        let many = (0..<3000).map { "line \($0 % 7)" }
        #expect(compare(many, many.reversed()).changes.count == 1)
    }

    @Test("comments and blank lines between commands are kept, unless they are printed")
    func remarks() {
        #expect(compare(["a", "", "# next"], ["a"]).holds)
        #expect(compare(["a", "", "# next"], ["b"]).updated == ["b", "", "# next"])
        #expect(compare(["a", "# title"], ["a", "# title"]).holds)
        #expect(!compare(["a"], ["a", ""]).holds)
        #expect(compare(["# one", "", "# next"], ["# one"]).holds)
    }

    @Test("an error's place is not compared, and is brought up to date where a replay wrote it")
    func errors() {
        let printed = [Tape.Line("stdin:4: a: no 3", message: "a: no 3")]
        for place in ["stdin:2", "nacre", "error", "some dir/s.nacre:12", "C:\\x:1"] {
            #expect(
                OutputComparison(["\(place): a: no 3"], printed: printed, tolerance: .relative(0)).holds, "\(place)")
        }
        #expect(!OutputComparison(["a: no 3"], printed: [.init("stdin:4: a: no 3")], tolerance: .any).holds)
        #expect(!OutputComparison(["stdin:4: b: no 3"], printed: printed, tolerance: .any).holds)
        #expect(OutputComparison(["a: no 3"], printed: printed, tolerance: .standard).holds)
        let updated = OutputComparison(["stdin:2: a: no 3"], printed: printed, tolerance: .standard).updated
        #expect(updated == ["stdin:4: a: no 3"])
        #expect(OutputComparison(["nacre: a: no 3"], printed: printed, tolerance: .any).updated == ["nacre: a: no 3"])
    }

    @Test("times are not compared")
    func timer() {
        let lines = [
            "wall 0.1 s, cpu 0.2 s, peak memory 20.5 MB", "wall 3 s, cpu 2 s, peak memory 1.5 GB, 12 GFLOP/s",
        ]
        #expect(compare(["a", lines[0]], ["a", lines[1]], .relative(0)).holds)
        #expect(compare(["a  b", lines[0]], ["a b", lines[1]]).holds == false)
    }
}
