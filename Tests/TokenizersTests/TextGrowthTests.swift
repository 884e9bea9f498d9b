import JSON
import Testing
import Tokenizers

/// Files whose steps are so many, or make texts so long, that no computer could follow them.
@Suite struct TextGrowthTests {
    /// Why a tokenizer is refused with `json` for the component `key`; nil where it is not.
    private func error(_ key: String, _ json: String) throws -> TokenizerError? {
        let component = try JSONValue(parsing: Array(json.utf8), file: "x")
        do {
            _ = try Fixtures.tokenizer(try Fixtures.value("digits").replacing([key], by: component))
            return nil
        } catch let error as TokenizerError {
            return error
        }
    }

    private func sequence(_ key: String, _ steps: [String]) -> String {
        #"{"type":"Sequence","\#(key)":[\#(steps.joined(separator: ","))]}"#
    }

    private func replace(_ pattern: String, _ content: String) -> String {
        #"{"type":"Replace","pattern":{"String":"\#(pattern)"},"content":"\#(content)"}"#
    }

    private func replace(regex: String, _ content: String) -> String {
        #"{"type":"Replace","pattern":{"Regex":"\#(regex)"},"content":"\#(content)"}"#
    }

    private func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

    private func unsupported(_ component: String, _ reason: String) -> TokenizerError {
        .unsupported(file: "t.json", component: component, reason: reason)
    }

    private static let tooLong = "with the steps before it, it could make a text more than 4096 times as long"

    @Test func `a pre-tokenizer of too many stages is refused`() throws {
        let stage = #"{"type":"WhitespaceSplit"}"#
        for count in [65, 20_000] {
            #expect(
                try error("pre_tokenizer", sequence("pretokenizers", Array(repeating: stage, count: count)))
                    == unsupported("pre_tokenizer.pretokenizers[64]", "more than 64 stages"))
        }
        // Each Metaspace may double the pieces that the next stage gets.
        let metaspaces = Array(repeating: #"{"type":"Metaspace","replacement":"_"}"#, count: 5)
        #expect(
            try error("pre_tokenizer", sequence("pretokenizers", metaspaces))
                == unsupported("pre_tokenizer.pretokenizers[4]", "more than 4 Metaspace stages"))
    }

    /// ByteLevel, which the model needs, takes the last place.
    @Test func `a pre-tokenizer of as many stages as there may be works`() throws {
        let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}"#
        let stages = Array(repeating: #"{"type":"WhitespaceSplit"}"#, count: 63)
        let json = try JSONValue(parsing: Array(sequence("pretokenizers", stages + [byteLevel]).utf8), file: "x")
        let tokenizer = try Fixtures.tokenizer(try Fixtures.value("digits").replacing(["pre_tokenizer"], by: json))
        #expect(tokenizer.decode(tokenizer.encode("the the")) == "thethe")
    }

    @Test(arguments: [("normalizer", "normalizers"), ("decoder", "decoders")])
    func `too many steps are refused`(component: String, key: String) throws {
        let step = replace("a", "b")
        #expect(try error(component, sequence(key, Array(repeating: step, count: 64))) == nil)
        // Sequences inside one another are one.
        let nested = [sequence(key, Array(repeating: step, count: 64)), step]
        #expect(
            try error(component, sequence(key, nested)) == unsupported("\(component).\(key)[1]", "more than 64 steps"))
    }

    @Test(arguments: [("normalizer", "normalizers"), ("decoder", "decoders")])
    func `steps that multiply are refused`(component: String, key: String) throws {
        let hundred = Array(repeating: replace("a", letters(100)), count: 12)
        #expect(
            try error(component, sequence(key, hundred)) == unsupported("\(component).\(key)[1]", Self.tooLong))
        #expect(try error(component, sequence(key, Array(repeating: replace("a", letters(64)), count: 2))) == nil)
        #expect(
            try error(component, sequence(key, [replace("a", letters(64)), replace("a", letters(65))]))
                == unsupported("\(component).\(key)[1]", Self.tooLong))
        // What counts is the content's length beside the pattern's.
        #expect(try error(component, sequence(key, Array(repeating: replace("aa", "bb"), count: 64))) == nil)
        #expect(try error(component, sequence(key, Array(repeating: replace(regex: "a{2}b?", "cc"), count: 64))) == nil)
        #expect(
            try error(component, sequence(key, Array(repeating: replace(regex: "a+b*", "aa"), count: 13)))
                == unsupported("\(component).\(key)[12]", Self.tooLong))
    }

    @Test func `long texts to put into others are refused`() throws {
        for component in ["normalizer", "decoder"] {
            #expect(try error(component, replace("a", letters(256))) == nil)
            #expect(
                try error(component, replace("a", letters(257)))
                    == unsupported("\(component).content", "a text of 257 bytes; at most 256 are"))
        }
        #expect(try error("normalizer", #"{"type":"Prepend","prepend":"\#(letters(256))"}"#) == nil)
        #expect(
            try error("normalizer", #"{"type":"Prepend","prepend":"\#(letters(257))"}"#)
                == unsupported("normalizer.prepend", "a text of 257 bytes; at most 256 are"))
    }

    @Test func `forms and what is put before a text count`() throws {
        // U+FDFA becomes 18 characters in NFKD.
        let pair = [replace(regex: ".", "\u{FDFA}"), #"{"type":"NFKD"}"#]
        #expect(
            try error("normalizer", sequence("normalizers", pair + pair + pair))
                == unsupported("normalizer.normalizers[5]", Self.tooLong))
        let prepend = #"{"type":"Prepend","prepend":"\#(letters(99))"}"#
        #expect(
            try error("normalizer", sequence("normalizers", [prepend, prepend]))
                == unsupported("normalizer.normalizers[1]", Self.tooLong))
    }

    @Test func `what tokenizers have is accepted`() throws {
        let sentencePiece = [#"{"type":"Prepend","prepend":"▁"}"#, replace(" ", "▁")]
        #expect(try error("normalizer", sequence("normalizers", sentencePiece)) == nil)
        #expect(try error("normalizer", sequence("normalizers", [#"{"type":"NFKC"}"#] + sentencePiece)) == nil)
        let usual = ["NFKD", "StripAccents", "Lowercase"].map { #"{"type":"\#($0)"}"# }
        let quotes = [replace("``", "\\\""), replace("''", "\\\"")]
        #expect(try error("normalizer", sequence("normalizers", quotes + usual + sentencePiece)) == nil)
        let decoders = [replace("▁", " "), #"{"type":"ByteFallback"}"#, #"{"type":"Fuse"}"#]
        #expect(try error("decoder", sequence("decoders", decoders)) == nil)
    }
}
