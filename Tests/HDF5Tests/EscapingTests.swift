import HDF5
import Testing

struct EscapingTests {
    @Test(arguments: [
        ("model.layers.0.weight", "model.layers.0.weight"),
        ("\u{1B}[31mred", "\\u{1B}[31mred"),
        ("a\nb\tc\u{7F}", "a\\u{A}b\\u{9}c\\u{7F}"),
        ("\u{9B}2J", "\\u{9B}2J"),
        ("\u{202E}evil\u{2066}\u{200F}", "\\u{202E}evil\\u{2066}\\u{200F}"),
        ("zero\u{200B}width\u{FEFF}\u{2060}\u{200D}", "zero\\u{200B}width\\u{FEFF}\\u{2060}\\u{200D}"),
        ("line\u{2028}separator\u{E0041}tag", "line\\u{2028}separator\\u{E0041}tag"),
        ("naïve 模型 λ", "naïve 模型 λ"),
    ])
    func textIsSafeForATerminal(text: String, expected: String) {
        #expect(escaped(text) == expected)
    }

    @Test func longTextIsCut() {
        #expect(escaped("abcdef", limit: 3) == "abc…")
        #expect(escaped("abc", limit: 3) == "abc")
    }

    @Test func errorsEscapeTheirParts() {
        let error = HDF5Error(
            .link, file: "a\u{1B}b", object: "/c\u{202E}", problem: "d\u{7}", remedy: "e\u{200B}")
        #expect(error.description == "a\\u{1B}b: /c\\u{202E}: d\\u{7}; e\\u{200B}")
    }
}
