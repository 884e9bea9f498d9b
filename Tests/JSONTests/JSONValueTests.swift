import JSON
import Testing

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue(parsing: Array(text.utf8), file: "config.json")
    }

    @Test func `values of every kind are read`() throws {
        let value = try parse(
            """
             {"a": [1, -2, 3.5, 1e3, -0, true, false, null, "x"], "b": {"c": {}}, "d": [],
              "large": 1000000000000000019884624838656, "most": 9223372036854775807, "least": -9223372036854775808} \n
            """)
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[1]?.int == -2)
        #expect(value["a"]?[2]?.double == 3.5)
        #expect(value["a"]?[3]?.double == 1000)
        #expect(value["a"]?[3]?.int == nil)
        #expect(value["a"]?[4]?.double?.sign == .minus)
        #expect(value["a"]?[5]?.bool == true)
        #expect(value["a"]?[6]?.bool == false)
        #expect(value["a"]?[7]?.isNull == true)
        #expect(value["a"]?[8]?.string == "x")
        #expect(value["a"]?[9]?.string == nil)
        #expect(value["b"]?["c"]?.object?.isEmpty == true)
        #expect(value["d"]?.array?.isEmpty == true)
        #expect(value["large"]?.double == 1e30)
        #expect(value["most"]?.int == .max)
        #expect(value["least"]?.int == .min)
        #expect(value.object?.keys == ["a", "b", "d", "large", "most", "least"])
    }

    @Test func `a member's value can be had as it was written`() {
        func source(_ text: String, _ key: String = "a") -> String? {
            JSONValue.source(ofMember: key, in: Array(text.utf8))
        }
        #expect(source(#"{"b": 1, "a" : 12345678901234567890123 }"#) == "12345678901234567890123")
        #expect(source(#" {"a":-0.10,"b":{"a":2}}"#) == "-0.10" && source(#"{"a": 1E5, "a": [1, 2]}"#) == "[1, 2]")
        #expect(source(#"{"b": {"a": 1}}"#) == nil && source("[1]") == nil && source("{") == nil)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u0000\u00e9\u4E2D""#, "\0é中"),
        (#""a\ud83d\ude00z""#, "a😀z"),
        ("\"中é😀\u{7f}\"", "中é😀\u{7f}"),
    ])
    func `escapes in strings are read`(json: String, text: String) throws {
        #expect(try Array(#require(parse(json).string).utf8) == Array(text.utf8))
    }

    @Test func `keys are told apart by their bytes, not by canonical equivalence`() throws {
        let value = try parse(#"{"\u00e9": 1, "e\u0301": 2}"#)
        #expect(value["\u{e9}"]?.int == 1)
        #expect(value["e\u{301}"]?.int == 2)
        #expect(value.object?.duplicateKeys == [])
    }

    @Test func `of a key that is there twice the last one counts, and it is reported`() throws {
        let value = try parse(#"{"a": 1, "b": 2, "a": 3}"#)
        #expect(value["a"]?.int == 3)
        #expect(value.object?.duplicateKeys == ["a"])
    }

    @Test(arguments: [
        ("", 1, 1, "the text ends where a value should be"),
        ("{\n  \"a\": tru\n}", 2, 8, "expected a value"),
        ("[1,\n2,\n]", 3, 1, "expected a value"),
        ("[1 2]", 1, 4, "expected ',' or ']'"),
        ("{\"a\" 1}", 1, 6, "expected ':' after a key"),
        ("{a: 1}", 1, 2, "expected a key in quotes"),
        ("{\"a\": 1,}", 1, 9, "expected a key in quotes"),
        ("{\"a\": 1", 1, 8, "expected ',' or '}'"),
        ("[] []", 1, 4, "text after the end of the value"),
        ("\"abc", 1, 1, "a string without its closing quote"),
        ("\"ab\\", 1, 4, "a string without its closing quote"),
        ("\"a\tb\"", 1, 3, "a control character in a string"),
        ("\"\\n\u{1}\"", 1, 4, "a control character in a string"),
        ("\"\\x\"", 1, 2, "an unknown escape"),
        ("\"\\u12g4\"", 1, 2, "\\u needs four hexadecimal digits"),
        ("\"\\u12", 1, 2, "\\u needs four hexadecimal digits"),
        ("\"\\ud800x\"", 1, 2, "half of a surrogate pair"),
        ("\"\\udc00\"", 1, 2, "half of a surrogate pair"),
        ("\"\\ud800\\u0041\"", 1, 2, "half of a surrogate pair"),
        ("01", 1, 1, "a number with a leading zero"),
        ("-", 1, 1, "a number without digits"),
        ("1.", 1, 1, "a number without digits after its point"),
        ("1e+", 1, 1, "a number without digits in its exponent"),
        ("1e999", 1, 1, "a number out of range"),
        ("NaN", 1, 1, "expected a value"),
        ("\u{feff}1", 1, 1, "expected a value"),
    ])
    func `malformed text is refused with its place`(json: String, line: Int, column: Int, reason: String) {
        #expect(
            throws: JSONError(file: "config.json", line: line, column: column, reason: reason)
        ) { try parse(json) }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE4, 0xB8], [0xF0, 0x9F, 0x98], [0xFF],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused with their place`(bytes: [UInt8]) {
        let json = Array("[\"aaaaaaaaaaaaaaaa\",\n \"".utf8) + bytes + Array("\"]".utf8)
        #expect(
            throws: JSONError(
                file: "config.json", line: 2, column: 3, reason: "a byte that is not UTF-8")
        ) { try JSONValue(parsing: json, file: "config.json") }
    }

    @Test func `nesting stops at the limit`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try parse(nested(JSONValue.maximumDepth)).array?.count == 1)
        #expect(
            throws: JSONError(
                file: "config.json", line: 1, column: 65, reason: "nested deeper than 64 levels")
        ) { try parse(nested(JSONValue.maximumDepth + 1)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func `what is written is read again as it was`() throws {
        let text = #"{"a": [1, -2.5, true, null, "\u0001\n\"\\é 🙂"], "b": {}, "c": [], "": 1e+30}"#
        #expect(try parse(text).text == text)
        #expect(try parse(parse(text).text).text == text)
    }
}
