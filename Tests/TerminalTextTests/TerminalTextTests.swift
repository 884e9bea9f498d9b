import Testing

@testable import TerminalText

@Suite struct EscapingTests {
    @Test func namesTheUsualControlsAndNumbersTheRest() {
        #expect("a\tb\nc\rd\u{1B}[31m".escapedForTerminal == #"a\tb\nc\rd\e[31m"#)
        #expect("\u{0}\u{7}\u{7F}\u{9B}\u{85}".escapedForTerminal == #"\u{0}\u{7}\u{7F}\u{9B}\u{85}"#)
    }

    @Test(arguments: [0x202A, 0x202E, 0x2066, 0x2069, 0x200E, 0x200F, 0x061C, 0x200B, 0x200D, 0x2060, 0xFEFF, 0xE0041])
    func showsWhatWouldBeInvisible(value: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(value))
        let hexadecimal = String(value, radix: 16, uppercase: true)
        #expect("a\(scalar)b".escapedForTerminal == "a\\u{\(hexadecimal)}b")
    }

    @Test func breaksUpClustersThatHideAControl() {
        // "\r\n" is one Character.
        #expect("a\r\nb".escapedForTerminal(keepingLineBreaks: true) == "a\\r\nb")
        #expect("👩\u{200D}🔬".escapedForTerminal == #"👩\u{200D}🔬"#)
    }

    @Test func leavesOrdinaryTextAlone() {
        let text = #"naïve \n é 日本 🙂 ▁the e"# + "\u{301}"
        #expect(text.escapedForTerminal == text)
    }

    @Test func noControlSurvives() {
        for value in UInt32(0)...0xFFFF {
            guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory == .control else { continue }
            #expect(scalar.isUnsafeForTerminal, "U+\(String(value, radix: 16))")
        }
    }
}

@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("abc", 3), ("日本", 4), ("ﾊﾝ", 2), ("한국", 4), ("e\u{301}", 1), ("🙂", 2), ("Ａ", 2), ("…", 1), ("\u{AD}", 0),
        ("\u{1100}\u{1161}", 2), ("か\u{3099}", 2), ("", 0), ("▁", 1),
    ])
    func matchesWhatTerminalsUse(text: String, width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test func truncatesBetweenCharacters() {
        #expect("abcdef".truncated(toWidth: 4) == "abc…")
        #expect("abcd".truncated(toWidth: 4) == "abcd")
        #expect("日本語".truncated(toWidth: 4) == "日…")
        #expect("e\u{301}e\u{301}e\u{301}".truncated(toWidth: 2) == "e\u{301}…")
        #expect("abc".truncated(toWidth: 0) == "")
    }

    @Test func padsByColumns() {
        #expect("日".padded(toWidth: 4) == "日  ")
        #expect("日".padded(toWidth: 4, right: true) == "  日")
        #expect("long".padded(toWidth: 2) == "long")
    }
}
