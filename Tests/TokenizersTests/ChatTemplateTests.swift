import Testing
import Tokenizers

@Suite struct ChatTemplateTests {
    private let smollm2 = #"""
        {"format":1,"reducible":true,"bos":"<b>","default_system":"<|im_start|>system\nBe kind<|im_end|>\n",
        "system":{"prefix":"<|im_start|>system\n","suffix":"<|im_end|>\n"},
        "user":{"prefix":"<|im_start|>user\n","suffix":"<|im_end|>\n"},
        "assistant":{"prefix":"<|im_start|>assistant\n","suffix":"<|im_end|>\n"},
        "generation_prompt":"<|im_start|>assistant\n"}
        """#

    @Test func `without a system message the default one comes first`() throws {
        let template = try ChatTemplate(json: Array(smollm2.utf8))
        #expect(
            try template.render(user: "Hi {{ x }}")
                == "<b><|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi {{ x }}<|im_end|>\n"
                + "<|im_start|>assistant\n")
    }

    @Test func `a system message takes the place of the default one`() throws {
        let template = try ChatTemplate(json: Array(smollm2.utf8))
        #expect(
            try template.render(user: "Hi", system: "")
                == "<b><|im_start|>system\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    }

    @Test func `a conversation may end with the assistant`() throws {
        let template = try ChatTemplate(json: Array(smollm2.utf8))
        let messages: [ChatTemplate.Message] = [
            .init(role: .system, text: "S"), .init(role: .user, text: "U"), .init(role: .assistant, text: "A"),
        ]
        #expect(
            try template.render(messages, forGeneration: false)
                == "<b><|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
        )
    }

    @Test func `a template that could not be reduced says why when it is used`() throws {
        let json = #"{"format":1,"reducible":false,"reason":"it calls strftime_now\u001b[2J"}"#
        let template = try ChatTemplate(json: Array(json.utf8), label: "chat.json")
        #expect(template.irreducibleReason == "it calls strftime_now\u{1b}[2J")
        #expect(
            throws: TokenizerError.unsupported(
                file: "chat.json", component: "the chat template", reason: #"it calls strftime_now\u{1b}[2J"#)
        ) { try template.render(user: "Hi") }
    }

    @Test(arguments: [
        (#"{"format":2}"#, TokenizerError.unsupported(file: "c", component: "format", reason: "only format 1 is")),
        (#"{"format":1}"#, .invalid(file: "c", component: "reducible", reason: "missing")),
        (#"{"format":1,"reducible":false}"#, .invalid(file: "c", component: "reason", reason: "missing")),
        ("[]", .invalid(file: "c", component: "template", reason: "expected an object, found an array")),
    ])
    func `a malformed template is refused`(json: String, error: TokenizerError) {
        #expect(throws: error) { try ChatTemplate(json: Array(json.utf8), label: "c") }
    }

    @Test func `every part of a reducible template is required`() throws {
        let whole = try #require(try JSONValue(parsing: Array(smollm2.utf8), file: "c").object)
        for key in whole.keys {
            var members = whole.members
            members.removeAll { $0.key == key }
            let json = JSONWriter.text(.object(JSONObject(members: members)))
            #expect(throws: TokenizerError.self, "without \(key)") { try ChatTemplate(json: Array(json.utf8)) }
        }
    }
}
