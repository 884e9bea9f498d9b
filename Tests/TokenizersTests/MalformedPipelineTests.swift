import Foundation
import JSON
import TestSupport
import Testing
import Tokenizers

/// Components that are broken or ask for what is not implemented: each is named with its place in tokenizer.json.
@Suite struct MalformedPipelineTests {
    private static let pipelines = (try? Pipeline.all()) ?? []

    /// What is said of the tokenizer `kind` with the value at `path`, keys and indices with points between, replaced.
    private func problem(_ path: String, _ json: String, in kind: String) throws -> String? {
        let pipeline = try #require(Self.pipelines.first { $0.name == kind })
        let new = try JSONValue(parsing: Array(json.utf8), file: "x")
        let keys = path.split(separator: ".").map(String.init)
        do {
            _ = try Fixtures.tokenizer(pipeline.json.replacing(keys, by: new))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("normalizer.normalizers.1.pattern", #"{"String":""}"#, "llama-2", "String is not supported: an empty text"),
        ("normalizer.normalizers.1.pattern", #"{"Regex":"(a)"}"#, "llama-2", "Regex is not supported: \"(a)\": groups"),
        (
            "normalizer.normalizers.1.pattern", #"{"Regex":"a","String":"a"}"#, "llama-2",
            "has both a String and a Regex"
        ),
        ("normalizer.normalizers.1.pattern", "{}", "llama-2", "the field \"Regex\" is missing"),
        ("normalizer.normalizers.1.pattern", "\" \"", "llama-2", "expected an object, found a string"),
        ("normalizer.normalizers.1.content", "3", "llama-2", "content: expected a string, found an integer"),
        ("normalizer.normalizers.0.prepend", "\"\"", "llama-2", "prepend is not supported: an empty text"),
        ("normalizer.normalizers.0.shiny", "1", "llama-2", "the option \"shiny\"; type, prepend are implemented"),
        ("normalizer.normalizers.0", #"{"type":"Precompiled"}"#, "llama-2", "\"Precompiled\"; Sequence, Prepend"),
        ("normalizer.normalizers.0", #"{"type":"Nmt"}"#, "llama-2", "\"Nmt\"; Sequence"),
        ("normalizer.normalizers.0", #"{"type":"BertNormalizer"}"#, "llama-2", "\"BertNormalizer\"; Sequence"),
        ("normalizer.normalizers.0", #"{"type":"Strip","strip_left":1}"#, "llama-2", "expected a boolean"),
    ])
    func `normalizers`(path: String, json: String, kind: String, reason: String) throws {
        let problem = try #require(try problem(path, json, in: kind))
        let place = path.contains(".0") ? "normalizer.normalizers[0]" : "normalizer.normalizers[1]"
        #expect(problem.hasPrefix("t.json: \(place)") && problem.contains(reason), "\(problem)")
    }

    @Test(arguments: [
        (#"{"type":"Metaspace","replacement":"__"}"#, "replacement: expected one character"),
        (#"{"type":"Metaspace","replacement":""}"#, "replacement: expected one character"),
        (#"{"type":"Metaspace"}"#, "the field \"replacement\" is missing"),
        (#"{"type":"Metaspace","replacement":"_","prepend_scheme":"last"}"#, "\"last\"; always, first and never are"),
        (#"{"type":"Metaspace","replacement":"_","add_prefix_space":false}"#, "which should be \"never\", is missing"),
        (#"{"type":"Metaspace","replacement":"_","add_prefix_space":false,"prepend_scheme":"first"}"#, "not \"never\""),
        (
            #"{"type":"Metaspace","replacement":"_","str_rep":"-"}"#,
            "str_rep is not supported: it is not the replacement"
        ),
        (
            #"{"type":"Split","pattern":{"String":"a"},"behavior":"Merged","invert":false}"#,
            "\"Merged\"; Removed, Isolated"
        ),
        (#"{"type":"Split","pattern":{"String":"a"},"behavior":"Removed"}"#, "the field \"invert\" is missing"),
        (#"{"type":"Split","pattern":{"Regex":"a|b"},"behavior":"Removed","invert":false}"#, "alternatives are not"),
        (#"{"type":"Punctuation","behavior":7}"#, "behavior: expected a string, found an integer"),
        (#"{"type":"Digits","individual_digits":"yes"}"#, "individual_digits: expected a boolean"),
        (#"{"type":"Whitespace","pattern":"x"}"#, "the option \"pattern\"; type are implemented"),
        (#"{"type":"BertPreTokenizer"}"#, "\"BertPreTokenizer\"; Sequence, ByteLevel"),
        (#"{"type":"CharDelimiterSplit","delimiter":"x"}"#, "\"CharDelimiterSplit\"; Sequence"),
        (#"{"type":"UnicodeScripts"}"#, "\"UnicodeScripts\"; Sequence"),
        (#"{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Shiny"}]}"#, "[0].pretokenizers[1] is not"),
    ])
    func `pre-tokenizers`(json: String, reason: String) throws {
        let problem = try #require(try problem("pre_tokenizer.pretokenizers.0", json, in: "llama-3"))
        #expect(problem.hasPrefix("t.json: pre_tokenizer.pretokenizers[0]") && problem.contains(reason), "\(problem)")
    }

    @Test func `nothing may follow ByteLevel`() throws {
        let last = try #require(
            try problem(
                "pre_tokenizer.pretokenizers.0", #"{"type":"ByteLevel","add_prefix_space":true}"#, in: "llama-3"))
        #expect(
            last.hasPrefix("t.json: pre_tokenizer.pretokenizers[1] is not supported: \"ByteLevel\" after ByteLevel"))
    }

    @Test(arguments: [
        (#"{"type":"Strip","content":" ","start":-1,"stop":0}"#, "start: expected an integer from 0 up, found -1"),
        (#"{"type":"Strip","content":" ","start":1.5,"stop":0}"#, "start: expected an integer, found a number"),
        (#"{"type":"Strip","content":"  ","start":1,"stop":0}"#, "content: expected one character"),
        (#"{"type":"Strip","content":" ","start":1}"#, "the field \"stop\" is missing"),
        (#"{"type":"Replace","pattern":{"String":""},"content":""}"#, "String is not supported: an empty text"),
        (#"{"type":"ByteFallback","unk":true}"#, "the option \"unk\"; type are implemented"),
        (#"{"type":"WordPiece","cleanup":true}"#, "\"WordPiece\"; Sequence, ByteLevel"),
        (#"{"type":"BPEDecoder","suffix":"</w>"}"#, "\"BPEDecoder\"; Sequence"),
        (#"{"type":"CTC"}"#, "\"CTC\"; Sequence"),
        ("null", "expected an object, found null"),
    ])
    func `decoders`(json: String, reason: String) throws {
        let problem = try #require(try problem("decoder.decoders.2", json, in: "llama-2"))
        #expect(problem.hasPrefix("t.json: decoder.decoders[2]") && problem.contains(reason), "\(problem)")
    }

    @Test func `post-processors`() throws {
        for type in ["BertProcessing", "RobertaProcessing"] {
            let problem = try #require(
                try problem("post_processor.processors.1", #"{"type":"\#(type)"}"#, in: "llama-3"))
            #expect(problem.hasPrefix("t.json: post_processor.processors[1] is not supported: \"\(type)\"; Sequence"))
        }
    }

    @Test func `options of whole files, models and added tokens`() throws {
        #expect(try problem("shiny", "1", in: "llama-2")?.contains("the option \"shiny\"; version") == true)
        #expect(try problem("model.shiny", "1", in: "llama-2")?.contains("model is not supported: the option") == true)
        #expect(try problem("added_tokens.1.shiny", "1", in: "llama-2")?.contains("added_tokens[1] is not") == true)
        #expect(try problem("model.byte_fallback", "true", in: "gpt-2")?.contains("model.byte_fallback is not") == true)
        let same = #"[{"type":"Replace","pattern":{"Regex":".{3}"},"content":"x"}]"#
        let token = #"{"type":"Sequence","normalizers":\#(same)}"#
        #expect(try problem("added_tokens.1.normalized", "true", in: "llama-2") == nil)
        let pipeline = try #require(Self.pipelines.first { $0.name == "llama-2" })
        let normalizer = try JSONValue(parsing: Array(token.utf8), file: "x")
        let both = pipeline.json.replacing(["normalizer"], by: normalizer)
            .replacing(["added_tokens", "1", "normalized"], by: .bool(true))
        #expect(throws: Never.self) { try Fixtures.tokenizer(both) }
        #expect(
            throws: TokenizerError.invalid(
                file: "t.json", component: "added_tokens[1]", reason: "nothing is left of \"<s>\" once normalized")
        ) {
            try Fixtures.tokenizer(
                both.replacing(["normalizer", "normalizers", "0", "content"], by: .string("")))
        }
    }

    /// No assertion on most outcomes: what is tested is that nothing traps and that errors are of one kind.
    @Test func `pipelines with flipped bytes are refused or work`() throws {
        var random = SplitMix(state: 31)
        var models: [String: String] = [:]
        var refused = 0
        var worked = 0
        for _ in 0..<500 {
            let pipeline = try #require(Self.pipelines.randomElement(using: &random))
            let model = try models[pipeline.modelName] ?? JSONWriter.text(try #require(pipeline.json["model"]))
            models[pipeline.modelName] = model
            var parts = Array(JSONWriter.text(pipeline.json.replacing(["model"], by: nil)).utf8.dropLast())
            // Half of the flips hit patterns and texts, the others anything; most of them leave it JSON.
            let texts = Self.starts(of: [#""Regex":""#, #""String":""#, #""content":""#], in: parts)
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place =
                    if Bool.random(using: &random), let start = texts.randomElement(using: &random) {
                        min(start + Int.random(in: 0..<4, using: &random), parts.count - 1)
                    } else {
                        Int.random(in: 0..<parts.count, using: &random)
                    }
                parts[place] = Self.flips.randomElement(using: &random) ?? 0
            }
            do {
                let tokenizer = try Tokenizer(
                    json: parts + Array(#","model":"#.utf8) + Array(model.utf8) + [0x7D], label: "t.json")
                let text = "The cafe\u{301}'s 12345 words  <|im_start|>\n<s> \u{1F600} ▁▁\u{2003}\u{FB01}"
                let encoding = tokenizer.encodeWithOffsets(text)
                #expect(encoding.ids == tokenizer.encode(text) && encoding.ids.count == encoding.ranges.count)
                _ = tokenizer.decode(encoding.ids + [0, 13, -1, .max])
                for id in encoding.ids { _ = tokenizer.piece(id) }
                worked += 1
            } catch {
                #expect(error.description.hasPrefix("t.json"))
                refused += 1
            }
        }
        #expect(refused > 100 && worked > 50)
    }

    private static let flips = Array(#"0123456789aesx[]{}\+*?-.,"#.utf8)

    /// Where the texts behind any of `keys` begin.
    private static func starts(of keys: [String], in json: [UInt8]) -> [Int] {
        json.indices.filter { index in
            keys.contains { json[..<index].suffix($0.utf8.count).elementsEqual($0.utf8) }
        }
    }
}
