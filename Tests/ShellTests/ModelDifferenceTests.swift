import Foundation
import TestSupport
import Testing

/// What every command that holds two models against each other says of what differs apart from weights.
@Suite("Models that differ in more than weights")
struct ModelDifferenceTests {
    private let folder = TemporaryFolder()

    /// A copy of the folder of tiny-chat with other values in a JSON file.
    private func copy(_ name: String, _ file: String, _ members: [String: Any]) throws -> String {
        let path = folder.file(name)
        try FileManager.default.copyItem(atPath: modelFolder("tiny-chat"), toPath: path)
        let place = URL(filePath: path).appending(path: file)
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: place)) as? [String: Any]
        let changed = try #require(json).merging(members) { $1 }
        try FileManager.default.removeItem(at: place)
        try JSONSerialization.data(withJSONObject: changed, options: .sortedKeys).write(to: place)
        return path
    }

    private func run(_ commands: [String]) throws -> NacreProcess {
        try NacreProcess(["--no-init"], input: commands.joined(separator: "\n") + "\n")
    }

    private func prompts() throws -> String {
        let path = folder.file("p.txt")
        let texts = try String(
            contentsOf: NacreProcess.root.appending(path: "Scripts/prompts/english.txt"), encoding: .utf8)
        try texts.split(separator: "\n").prefix(24).joined(separator: "\n")
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Every command that compares two models, A and B, with prompts p.
    private static let commands = [
        "compare A B", "compare A B --prompts p", "compare A B weights", "compare A B weights --svd --top 3",
        "compare A B logits --prompts p", "compare A B activations --prompts p", "compare A B geometry --prompts p",
        "compare A B text --prompts p --tokens 3", "diff A B model.norm.weight", "series A B --measure weights",
        "series A B --measure loss --prompts p", "m = merge A B --weights 0.5",
        "path A B --prompts p --lambda 0,1 --against 0",
        "path A B --by activations --prompts p --lambda 0,1",
        "evaluate p --checkpoints A,B --tokens 3 --marker the",
    ]

    @Test("every command names the settings that differ, and calls nothing identical")
    func settings() throws {
        let other = try copy(
            "B", "config.json",
            [
                "rms_norm_eps": 0.01, "rope_parameters": ["rope_theta": 1_000_000.0, "rope_type": "default"],
                "transformers_version": "4.0", "dtype": "bfloat16",
            ])
        let start = ["A = open \(modelFolder("tiny-chat"))", "B = open \(other)", "p = prompts \(try prompts())"]
        let note = "Their config.json differ in rope_theta (10000 and 1000000), rms_norm_eps (1e-05 and 0.01): A and B."
        for command in Self.commands {
            let found = try run(start + [command])
            #expect(found.code == 0, "\(command): \(found.errors)")
            let text = found.output.replacing(/\s+/, with: " ")
            #expect(text.ranges(of: note).count == 1, "\(command): \(found.output)")
            #expect(!text.contains("identical") && !text.contains("transformers_version"), "\(command): \(text)")
        }
        let counted = try run(
            start + [
                "s = compare A B weights", "expect s.settings_that_differ == 2", "d = diff A B model.norm.weight",
                "mode json", "compare A B",
            ])
        #expect(counted.code == 0, "\(counted.errors)")
        #expect(counted.output.contains("settings that differ") && counted.output.contains("of 21; settings differ"))
    }

    @Test("every command names chat templates and tokenizers that differ")
    func templates() throws {
        let other = try copy("B", "tokenizer_config.json", ["chat_template": "{{ messages[0]['content'] }}"])
        let start = ["A = open \(modelFolder("tiny-chat"))", "B = open \(other)", "p = prompts \(try prompts())"]
        for command in Self.commands {
            let found = try run(start + [command])
            #expect(found.code == 0, "\(command): \(found.errors)")
            #expect(
                found.output.replacing(/\s+/, with: " ").contains("The chat templates of A and B differ."),
                "\(command): \(found.output)")
            #expect(!found.output.contains("identical"), "\(command)")
        }
    }

    @Test("replies of two tokenizers are compared by their texts, those of one by token ids, and the report says which")
    func replies() throws {
        let other = folder.file("B")
        try FileManager.default.copyItem(atPath: modelFolder("tiny-chat"), toPath: other)
        let path = other + "/tokenizer.json"
        let text = String(decoding: readBytes(path), as: UTF8.self)
        let fewer = text.replacing(/\[\s*"h",\s*"e"\s*\],/, with: "")
        #expect(fewer != text)
        let start = ["A = open \(modelFolder("tiny-chat"))", "B = open \(other)"]
        #expect(try run(start + ["compare A B text sea"]).output.contains("1 of 1, by token ids"))
        writeBytes(Array(fewer.utf8), path)
        let found = try run(start + ["compare A B text sea"])
        #expect(found.output.contains("1 of 1, by their texts, since the tokenizers differ"), "\(found.output)")
    }

    @Test("a model and its twin in another file differ in nothing")
    func same() throws {
        let other = try copy("B", "config.json", ["transformers_version": "4.0", "dtype": "float16"])
        let found = try run([
            "A = open \(modelFolder("tiny-chat"))", "B = open \(other)", "s = compare A B weights",
            "expect s.settings_that_differ == 0 and s.identical_tensors == 21",
        ])
        #expect(found.code == 0, "\(found.errors)")
        #expect(!found.output.contains(" differ in ") && found.output.contains("identical"))
    }

    @Test("what fold makes of a tied model is compared, merged and reached along a path")
    func folded() throws {
        let found = try run([
            "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat --limit 24",
            "plain = prompts Scripts/prompts/open.txt --chat --limit 24",
            "r = direction taboo plain --at resid_pre[3]", "f = fold r",
            "half = merge pearl-tuned f --weights 0.5", "other = merge f pearl-tuned --weights 0.5",
            "compare half other weights --top 1", "path pearl-tuned f --prompts plain --lambda 0,0.5,1 --against 0",
            "series pearl-tuned half f --measure weights", "diff pearl-tuned f lm_head.weight",
            "compare pearl-tuned f weights --top 1",
        ])
        #expect(found.code == 0, "\(found.errors)")
        let text = found.output.replacing(/\s+/, with: " ")
        let note = "The output matrix of pearl-tuned is its embedding (tied): model.embed_tokens.weight stands for its"
        #expect(text.ranges(of: note).count == 6, "\(found.output)")
        #expect(!text.contains("in A only") && !text.contains("in B only"))
    }
}
