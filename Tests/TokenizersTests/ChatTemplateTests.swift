import JSON
import Testing
import Tokenizers

@Suite struct ChatTemplateTests {
    private let chatml = #"""
        {"format":1,"reducible":true,"bos":"<b>","default_system":"<|im_start|>system\nBe kind<|im_end|>\n",
        "system":{"prefix":"<|im_start|>system\n","suffix":"<|im_end|>\n"},
        "user":{"prefix":"<|im_start|>user\n","suffix":"<|im_end|>\n"},
        "assistant":{"prefix":"<|im_start|>assistant\n","suffix":"<|im_end|>\n"},
        "generation_prompt":"<|im_start|>assistant\n"}
        """#

    private func template(_ json: String) throws -> ChatTemplate {
        try ChatTemplate(json: Array(json.utf8), label: "c")
    }

    @Test func `without a system message the default one comes first`() throws {
        #expect(
            try template(chatml).render(user: "Hi {{ x }}")
                == "<b><|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi {{ x }}<|im_end|>\n"
                + "<|im_start|>assistant\n")
    }

    @Test func `a system message takes the place of the default one`() throws {
        #expect(
            try template(chatml).render(user: "Hi", system: "")
                == "<b><|im_start|>system\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    }

    @Test func `format 2 may strip a message and may have no system turn`() throws {
        let json = #"""
            {"format":2,"reducible":true,"bos":"<s>","default_system":"","system":null,"system_reason":"no such role",
            "user":{"prefix":"[INST] ","suffix":" [/INST]","trim":true},"assistant":{"prefix":" ","suffix":"</s>"},
            "generation_prompt":""}
            """#
        #expect(try template(json).render(user: " \t Hi\u{A0}there\n\u{3000}") == "<s>[INST] Hi\u{A0}there [/INST]")
        #expect(try template(json).render(user: "  ") == "<s>[INST]  [/INST]")
        #expect(throws: TokenizerError.unsupported(file: "c", component: "a system message", reason: "no such role")) {
            try template(json).render(user: "Hi", system: "S")
        }
    }

    @Test func `a template that could not be reduced says why, safely for a terminal`() throws {
        let json = #"{"format":1,"reducible":false,"reason":"it calls strftime_now\u001b[2J"}"#
        let error = #expect(throws: TokenizerError.self) { try template(json) }
        #expect(error?.description.contains(#"it calls strftime_now\e[2J"#) == true)
        #expect(error?.description.contains("--chat") == true)
    }

    @Test(arguments: [#"{"format":3}"#, #"{"format":1}"#, #"{"format":1,"reducible":3}"#, "[]", "{", "3"])
    func `a malformed template is refused`(json: String) {
        #expect(throws: TokenizerError.self) { try template(json) }
    }

    @Test func `every part of a reducible template is required`() throws {
        let whole = try #require(try JSONValue(parsing: Array(chatml.utf8), file: "c").object)
        for key in whole.keys where key != "assistant" {
            var members = whole.members
            members.removeAll { $0.key == key }
            let json = JSONWriter.text(.object(JSONObject(members: members)))
            #expect(throws: TokenizerError.self, "without \(key)") { try template(json) }
        }
    }
}
