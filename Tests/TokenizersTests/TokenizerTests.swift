import JSON
import Testing
import Tokenizers

@Suite struct TokenizerTests {
    @Test func `ids, tokens and pieces lead to one another`() throws {
        let tokenizer = try Fixtures.tokenizer("gpt2")
        let the = try #require(tokenizer.id(ofToken: "Ġthe"))
        #expect(tokenizer.token(the) == "Ġthe")
        #expect(tokenizer.piece(the) == " the")
        // The first byte of a character is no character.
        let byte = try #require(tokenizer.id(ofToken: "Ã"))
        #expect(tokenizer.piece(byte) == "\u{FFFD}")
        for id in -1..<Int32(tokenizer.vocabularySize) + 1 {
            if let token = tokenizer.token(id) {
                #expect(tokenizer.id(ofToken: token) == id)
            } else {
                #expect(id < 0 || Int(id) == tokenizer.vocabularySize)
                #expect(tokenizer.piece(id) == "")
            }
        }
        #expect(tokenizer.id(ofToken: "no such token") == nil)
    }

    @Test func `the post-processor's tokens are first and last`() throws {
        let tokenizer = try Fixtures.tokenizer("gpt2")
        let ids = tokenizer.encode("the")
        #expect(ids.first == tokenizer.id(ofToken: "<s>"))
        #expect(ids.last == tokenizer.id(ofToken: "</s>"))
        #expect(tokenizer.bosID == ids.first)
        #expect(tokenizer.eosID == ids.last)
        #expect(tokenizer.encode("the", addSpecialTokens: false) == Array(ids.dropFirst().dropLast()))
        let digits = try Fixtures.tokenizer("digits")
        #expect(digits.bosID == nil)
        #expect(digits.eosID == nil)
    }

    @Test func `special tokens are listed and left out on request`() throws {
        let tokenizer = try Fixtures.tokenizer("digits")
        #expect(tokenizer.addedTokens.map(\.content) == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
        #expect(tokenizer.specialIDs == [0, 1, 2])
        let ids = tokenizer.encode("<|im_start|>the<|im_end|>")
        #expect(tokenizer.decode(ids) == "<|im_start|>the<|im_end|>")
        #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "the")
    }

    @Test func `ids without a token are passed over in decoding`() throws {
        let tokenizer = try Fixtures.tokenizer("digits")
        let the = try #require(tokenizer.id(ofToken: "the"))
        #expect(tokenizer.decode([the, -1, .max, .min, Int32(tokenizer.vocabularySize), the]) == "thethe")
    }

    @Test func `ranges cover a text without a normalizer from end to end`() throws {
        let tokenizer = try Fixtures.tokenizer("digits")
        for line in try Fixtures.lines().prefix(2000) {
            let encoding = tokenizer.encodeWithOffsets(line)
            try #require(encoding.ids.count == encoding.ranges.count)
            var end = 0
            for range in encoding.ranges {
                // Tokens that share a character overlap.
                try #require(range.lowerBound <= end && range.upperBound >= end && !range.isEmpty)
                end = range.upperBound
            }
            try #require(end == line.utf8.count)
        }
    }

    @Test func `ranges of composed characters cover all that was composed`() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let text = "the n\u{303} the"
        let encoding = tokenizer.encodeWithOffsets(text)
        #expect(tokenizer.decode(encoding.ids) == "the \u{f1} the")
        let composed = try #require(encoding.ranges.first { $0.contains(4) })
        #expect(composed.upperBound == 7)
        #expect(encoding.ranges.last == 7..<11)
    }

    @Test func `a space before the text counts for the first character`() throws {
        let tokenizer = try Fixtures.tokenizer("gpt2")
        let encoding = tokenizer.encodeWithOffsets("the", addSpecialTokens: true)
        #expect(encoding.ids.map { tokenizer.piece($0) } == ["<s>", " the", "</s>"])
        #expect(encoding.ranges == [0..<0, 0..<3, 3..<3])
    }

    @Test func `without a decoder tokens are joined with spaces`() throws {
        let value = try Fixtures.value("digits").replacing(["decoder"], by: .null)
        let tokenizer = try Fixtures.tokenizer(value)
        let ids = tokenizer.encode("the the")
        #expect(tokenizer.decode(ids) == "the Ġthe")
        let empty = JSONValue.object(
            JSONObject(members: [
                .init(key: "type", value: .string("Sequence")), .init(key: "decoders", value: .array([])),
            ]))
        #expect(try Fixtures.tokenizer(value.replacing(["decoder"], by: empty)).decode(ids) == "theĠthe")
    }

    @Test func `steps behind ByteLevel see U+FFFD for the bytes of incomplete characters`() throws {
        let decoder = try JSONValue(
            parsing: Array(
                #"""
                {"type":"Sequence","decoders":[
                    {"type":"ByteLevel"},{"type":"Fuse"},
                    {"type":"Replace","pattern":{"Regex":"[^a]"},"content":"x"}
                ]}
                """#.utf8), file: "x")
        let tokenizer = try Fixtures.tokenizer(try Fixtures.value("gpt2").replacing(["decoder"], by: decoder))
        let byte = try #require(tokenizer.id(ofToken: "Ã"))
        let letter = try #require(tokenizer.id(ofToken: "a"))
        #expect(tokenizer.piece(byte) == "x" && tokenizer.piece(letter) == "a")
        #expect(tokenizer.decode([byte]) == "x")
        #expect(tokenizer.decode([letter, byte, byte, letter, byte]) == "axxax")
    }

    @Test func `both forms of merges mean the same`() throws {
        let value = try Fixtures.value("digits")
        let merges = try #require(value["model"]?["merges"]?.array)
        let pairs = merges.compactMap { merge in
            merge.string.map { JSONValue.array($0.split(separator: " ").map { .string(String($0)) }) }
        }
        try #require(pairs.count == merges.count && !pairs.isEmpty)
        let changed = try Fixtures.tokenizer(value.replacing(["model", "merges"], by: .array(pairs)))
        let original = try Fixtures.tokenizer("digits")
        for line in try Fixtures.lines().prefix(500) { #expect(changed.encode(line) == original.encode(line)) }
    }

    @Test func `calls from many threads at once give what one gives`() async throws {
        let tokenizer = try Fixtures.tokenizer("llama3")
        let lines = Array(try Fixtures.lines().prefix(400))
        let expected = lines.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { lines.map { tokenizer.encode($0) } == expected }
            }
            for await same in group { #expect(same) }
        }
    }

    @Test func `more words than the cache holds are encoded like the first`() throws {
        let tokenizer = try Fixtures.tokenizer("digits")
        let words = (0..<40_000).map { number in
            String(String.UnicodeScalarView((0..<4).map { Unicode.Scalar(UInt8(97 + number >> ($0 * 4) & 15)) }))
        }
        let fresh = try Fixtures.tokenizer("digits")
        let together = tokenizer.encode(words.joined(separator: " "))
        let second = tokenizer.encode(words.joined(separator: " "))
        #expect(together == second)
        #expect(tokenizer.decode(together) == words.joined(separator: " "))
        #expect(tokenizer.encode(words[39_999]) == fresh.encode(words[39_999]))
    }

    @Test func `pieces of SentencePiece's tokens keep their spaces`() throws {
        for kind in ["llama-2", "mistral-1", "gemma", "metaspace"] {
            let tokenizer = try Fixtures.tokenizer(try #require(try Pipeline.all().first { $0.name == kind }).json)
            #expect(tokenizer.piece(try #require(tokenizer.id(ofToken: "▁the"))) == " the")
            guard kind != "metaspace" else { continue }
            #expect(tokenizer.piece(try #require(tokenizer.id(ofToken: "<0x0A>"))) == "\n")
            #expect(tokenizer.piece(try #require(tokenizer.id(ofToken: "<0xC3>"))) == "\u{FFFD}")
        }
    }

    @Test func `ranges of SentencePiece's tokens are those of the text`() throws {
        let tokenizer = try Fixtures.tokenizer(try #require(try Pipeline.all().first { $0.name == "llama-2" }).json)
        let encoding = tokenizer.encodeWithOffsets("the the\u{E000}")
        #expect(encoding.ids.map { tokenizer.token($0) } == ["<s>", "▁the", "▁the", "<0xEE>", "<0x80>", "<0x80>"])
        // The space that is put before the text counts for its first character.
        #expect(encoding.ranges == [0..<0, 0..<3, 3..<7, 7..<10, 7..<10, 7..<10])
        #expect(tokenizer.decode(encoding.ids, skipSpecialTokens: true) == "the the\u{E000}")
    }

    /// Without spaces a text is one word: merging has to be quicker than the square of it.
    @Test(.timeLimit(.minutes(1)), arguments: ["llama-2", "lines"])
    func `a long text is encoded as one word`(kind: String) throws {
        let tokenizer = try Fixtures.tokenizer(try #require(try Pipeline.all().first { $0.name == kind }).json)
        let text = String(repeating: "thenetwork", count: 60_000)
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        #expect(tokenizer.decode(ids) == text && ids.count > 60_000)
    }
}
