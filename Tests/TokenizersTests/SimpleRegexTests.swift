import Testing

@testable import Tokenizers

/// Patterns of one's own; that they match what the reference's engine matches is among what PipelineTests compare.
@Suite struct SimpleRegexTests {
    private func pieces(_ pattern: String, _ text: String) throws -> [String] {
        let regex = TextPattern.regex(try SimpleRegex(pattern))
        var result: [String] = []
        var text = text
        text.withUTF8 { bytes in
            regex.forEachPart(of: UTF8Text(bytes: bytes, end: bytes.count), from: 0) { part, isMatch in
                result.append((isMatch ? "=" : "") + String(decoding: bytes[part], as: UTF8.self))
            }
        }
        return result
    }

    @Test func `repetitions are greedy and give back`() throws {
        #expect(try pieces(#"a+a"#, "caaab") == ["c", "=aaa", "b"])
        #expect(try pieces(#"a*b?c"#, "aabcac") == ["=aabc", "=ac"])
        #expect(try pieces(#"\p{N}{1,3}"#, "12345 6") == ["=123", "=45", " ", "=6"])
        #expect(try pieces(#" {2,}"#, "a b  c   ") == ["a b", "=  ", "c", "=   "])
        #expect(try pieces(#"[^a-cé\-\d]x?"#, "abéd1-xq") == ["abé", "=d", "1-", "=x", "=q"])
        #expect(try pieces(#"\S\s"#, "a \u{2003}b\n") == ["=a ", "\u{2003}", "=b\n"])
        #expect(try pieces(#"e."#, "e\nee") == ["e\n", "=ee"])
    }

    @Test(arguments: [
        ("", "empty text"), ("a*", "empty text"), ("a?b{0}", "empty text"), ("(a)", "groups"), ("a|b", "alternatives"),
        ("^a", "anchors"), ("a$", "anchors"), ("*a", "stands where"), ("a**", "repetitions"), ("a+?", "repetitions"),
        ("a{", "{n,m}"), ("a{2", "{n,m}"), ("a{3,2}", "{n,m}"), ("a{64}", "{n,m}"),
        ("a{99999999999999999999}", "{n,m}"),
        ("a{40}b{40}", "longer than"), ("\\", "ends in a backslash"), ("\\w", "not implemented"),
        ("\\b", "not implemented"), ("\\1", "not implemented"), ("\\p{Han}", "\"Han\""), ("\\p", "property"),
        ("\\p{L", "property"), ("[a", "does not end"), ("[", "does not end"), ("[]", "without a backslash"),
        ("[a-", "without a backslash"), ("[a-\\s]", "range"), ("[z-a]", "range"),
        ("[[:alpha:]]", "without a backslash"),
        ("[a&&b]", "without a backslash"), ("[a-b-c]", "without a backslash"), ("a]", "stands where"),
    ])
    func `patterns that are not simple are refused`(pattern: String, reason: String) throws {
        do {
            _ = try SimpleRegex(pattern)
            if !pattern.hasPrefix("\\p{L") || pattern.hasSuffix("}") { Issue.record("\(pattern) was taken") }
        } catch {
            #expect(error.reason.contains(reason), "\(error.reason)")
        }
    }

    /// An engine that tries every way would need longer than the sun has left.
    @Test(.timeLimit(.minutes(1))) func `no pattern takes longer than the text`() throws {
        let spaces = String(repeating: " ", count: 200_000)
        #expect(try pieces(#"\s*\s*\s*\s*\s*\s*x"#, spaces).count == 1)
        #expect(
            try pieces(#"a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaab"#, String(repeating: "a", count: 100_000))
                .count == 1)
    }
}
