import Foundation
import JSON
import TestSupport
import Testing
import Tokenizers

/// Files that are not tokenizers, or not ones that are implemented.
@Suite struct MalformedTests {
    private func error(_ path: [String], _ new: JSONValue?, in name: String = "digits") throws -> TokenizerError? {
        let value = try Fixtures.value(name).replacing(path, by: new)
        do {
            _ = try Fixtures.tokenizer(value)
            return nil
        } catch let error as TokenizerError {
            return error
        }
    }

    private func invalid(_ component: String, _ reason: String) -> TokenizerError {
        .invalid(file: "t.json", component: component, reason: reason)
    }

    private func unsupported(_ component: String, _ reason: String) -> TokenizerError {
        .unsupported(file: "t.json", component: component, reason: reason)
    }

    @Test func `a file of something else is refused`() {
        for json in ["[]", "null", "3", "\"x\""] {
            #expect(throws: TokenizerError.self) { try Tokenizer(json: Array(json.utf8), label: "t.json") }
        }
        #expect(throws: invalid("model", "missing")) { try Tokenizer(json: Array("{}".utf8), label: "t.json") }
    }

    @Test func `an unknown component is named and refused, never skipped`() throws {
        let unknown = try JSONValue(parsing: Array(#"{"type":"Shiny"}"#.utf8), file: "x")
        #expect(
            try error(["normalizer"], unknown)
                == unsupported(
                    "normalizer",
                    "\"Shiny\"; Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip and StripAccents "
                        + "are implemented"))
        #expect(
            try error(["pre_tokenizer", "pretokenizers", "0"], unknown)
                == unsupported(
                    "pre_tokenizer.pretokenizers[0]",
                    "\"Shiny\"; Sequence, ByteLevel, Split, Digits, Metaspace, Whitespace, WhitespaceSplit and "
                        + "Punctuation are implemented"))
        #expect(
            try error(["post_processor"], unknown)
                == unsupported(
                    "post_processor", "\"Shiny\"; Sequence, ByteLevel and TemplateProcessing are implemented"))
        #expect(
            try error(["decoder"], unknown)
                == unsupported(
                    "decoder",
                    "\"Shiny\"; Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip and Metaspace are implemented"))
        for model in ["WordPiece", "Unigram", "WordLevel"] {
            #expect(
                try error(["model", "type"], .string(model))
                    == unsupported("model", "its type is \"\(model)\"; only \"BPE\" is implemented"))
        }
    }

    @Test func `settings that would change ids are refused`() throws {
        for (key, value) in [
            ("dropout", JSONValue.double(0.1)), ("byte_fallback", .bool(true)),
            ("continuing_subword_prefix", .string("##")), ("end_of_word_suffix", .string("</w>")),
        ] {
            guard case .unsupported("t.json", "model.\(key)", _) = try error(["model", key], value) else {
                Issue.record("model.\(key)")
                continue
            }
        }
        for key in ["truncation", "padding"] {
            #expect(
                try error([key], .object(JSONObject()))
                    == unsupported(key, "it would change every encoding; set it to null"))
        }
        #expect(try error(["version"], .string("2.0")) == unsupported("version", "\"2.0\"; only \"1.0\" is"))
    }

    @Test func `settings that change nothing are taken`() throws {
        #expect(try error(["model", "dropout"], .double(0)) == nil)
        #expect(try error(["model", "continuing_subword_prefix"], .string("")) == nil)
        #expect(try error(["added_tokens"], nil) == nil)
        #expect(try error(["version"], nil) == nil)
        #expect(try error(["decoder"], nil) == nil)
    }

    @Test(arguments: [
        (JSONValue.integer(1 << 40), "1099511627776"), (.integer(-1), "-1"), (.integer(1 << 22), "4194304"),
        (.double(3), "a number"), (.string("7"), "a string"), (.null, "null"),
    ])
    func `ids of the vocabulary are checked`(id: JSONValue, found: String) throws {
        #expect(
            try error(["model", "vocab", "the"], id)
                == invalid(
                    "model.vocab", "the id of \"the\" should be an integer in 0..<4194304, found \(found)"))
    }

    @Test func `tokens and ids that are there twice are refused`() throws {
        #expect(
            try error(["model", "vocab", "another"], .integer(5))
                == invalid("model.vocab", "the id 5 is given twice, the second time to \"another\""))
        var json = JSONWriter.text(try Fixtures.value("digits"))
        let place = try #require(json.range(of: #""vocab":{"#))
        json.insert(contentsOf: #""the":4000,"#, at: place.upperBound)
        #expect(throws: invalid("model.vocab", "the token \"the\" is there twice")) {
            try Tokenizer(json: Array(json.utf8), label: "t.json")
        }
        let first = try #require(try Fixtures.value("digits")["added_tokens"]?[0])
        #expect(
            try error(["added_tokens", "1"], first)
                == invalid("added_tokens[1]", "the token \"<|endoftext|>\" is there twice"))
        #expect(
            try error(["added_tokens", "1", "id"], .integer(2))
                == invalid(
                    "added_tokens[1]", "the id of \"<|im_start|>\" is 2, but its place makes it 1"))
        #expect(
            try error(["added_tokens", "1", "id"], .integer(-2))
                == invalid("added_tokens[1].id", "the id -2 is outside 0..<4194304"))
    }

    @Test func `an added token may not take the id of another`() throws {
        // Its id would be 1500, the number of tokens; a gap has put a token of the model there.
        let value = try Fixtures.value("digits").replacing(["model", "vocab", "the"], by: .integer(1500))
        let token = try #require(value["added_tokens"]?[0])
            .replacing(["content"], by: .string("<new>")).replacing(["id"], by: .integer(1500))
        let changed = value.replacing(["added_tokens"], by: .array([token]))
        #expect(throws: invalid("added_tokens[0]", "the id 1500 is another token's in the model")) {
            try Fixtures.tokenizer(changed)
        }
    }

    @Test func `merges are checked`() throws {
        let path = ["model", "merges", "3"]
        #expect(
            try error(path, .string("the zzzz"))
                == invalid("model.merges", "merge 3 names the token \"zzzz\", which is not in the vocabulary"))
        #expect(
            try error(path, .string("Ġthe Ġthe"))
                == invalid("model.merges", "merge 3 names the token \"ĠtheĠthe\", which is not in the vocabulary"))
        for line in ["the", "a b c", " a b", ""] {
            guard case .invalid("t.json", "model.merges", _) = try error(path, .string(line)) else {
                Issue.record("\(line)")
                continue
            }
        }
        #expect(
            try error(path, .array([.string("t"), .string("h")]))
                == invalid("model.merges", "merge 3 should be a string"))
        #expect(
            try error(path, .array([.string("t")]), in: "llama3")
                == invalid("model.merges", "merge 3 should be a pair of strings"))
        #expect(
            try error(path, .array([.string("t"), .integer(1)]), in: "llama3")
                == invalid("model.merges", "merge 3 should have two strings"))
    }

    @Test func `fields that are missing or of another kind are named`() throws {
        #expect(try error(["model", "vocab"], nil) == invalid("model", "the field \"vocab\" is missing"))
        #expect(try error(["model", "merges"], nil) == invalid("model", "the field \"merges\" is missing"))
        #expect(try error(["model", "vocab"], .object(JSONObject())) == invalid("model.vocab", "it has no tokens"))
        #expect(
            try error(["model", "merges"], .string("x"))
                == invalid("model.merges", "expected an array, found a string"))
        #expect(
            try error(["model", "unk_token"], .string("<unk>"))
                == invalid("model.unk_token", "\"<unk>\" is not in the vocabulary"))
        for key in ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"] {
            #expect(
                try error(["added_tokens", "0", key], nil)
                    == invalid("added_tokens[0]", "the field \"\(key)\" is missing"))
        }
        #expect(
            try error(["added_tokens"], .object(JSONObject()))
                == invalid("added_tokens", "expected an array, found an object"))
        #expect(
            try error(["added_tokens", "0", "special"], .integer(1))
                == invalid("added_tokens[0].special", "expected a boolean, found an integer"))
    }

    @Test func `templates are checked`() throws {
        let path = ["post_processor", "special_tokens", "<|endoftext|>"]
        #expect(
            try error(path, nil, in: "llama3")
                == invalid(
                    "post_processor.single[0].SpecialToken.id",
                    "\"<|endoftext|>\" is not among the special_tokens"))
        #expect(
            try error(path + ["ids", "0"], .integer(99_999), in: "llama3")
                == invalid(
                    "post_processor.special_tokens.<|endoftext|>.ids[0]", "no token has the id 99999"))
        #expect(
            try error(["post_processor", "single", "1", "Sequence", "id"], .string("B"), in: "llama3")
                == unsupported(
                    "post_processor.single[1].Sequence", "only one sequence, A, is in a template for one text"))
        #expect(
            try error(["post_processor", "single", "1"], nil, in: "llama3")
                == unsupported("post_processor", "a template without the text"))
    }

    @Test func `what comes from a file is escaped in messages`() throws {
        let error = try #require(try error(["model", "type"], .string("\u{1b}[2J\u{202e}x")))
        #expect(error.description.contains(#"\e[2J\u{202E}x"#))
        #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }

    /// No assertion on most outcomes: what is tested is that nothing traps and that errors are of one kind.
    @Test(arguments: ["gpt2", "llama3", "qwen2"])
    func `files with flipped bytes are refused or work`(name: String) throws {
        let original = try Fixtures.bytes("\(name).json")
        var random = SplitMix(state: 20)
        var refused = 0
        for _ in 0..<300 {
            var json = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Half of the flips hit the small parts before and after the vocabulary.
                let span = Bool.random(using: &random) ? json.count : 1200
                let index = Bool.random(using: &random) ? span - 1 : 0
                let place = Int.random(in: 0..<span, using: &random)
                json[index == 0 ? place : json.count - 1 - place] = UInt8.random(in: .min ... .max, using: &random)
            }
            if Bool.random(using: &random) { json.removeLast(Int.random(in: 0..<3, using: &random)) }
            do {
                let tokenizer = try Tokenizer(json: json, label: "t.json")
                let ids = tokenizer.encode("The café's 12345 words  <|im_start|>\n<mask> \u{1F600}")
                _ = tokenizer.decode(ids + [0, -1, .max])
            } catch {
                #expect(error.description.hasPrefix("t.json"))
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func `files that end early are refused`() throws {
        let original = try Fixtures.bytes("digits.json")
        for length in stride(from: 0, to: original.count - 2, by: 997) {
            #expect(throws: TokenizerError.self) { try Tokenizer(json: Array(original[..<length]), label: "t.json") }
        }
    }
}
