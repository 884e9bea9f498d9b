import Checkpoints
import Foundation
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("What two models differ in apart from their weights")
struct ModelDifferenceTests {
    private let folder = TemporaryFolder()

    private func differences(_ a: LoadedCheckpoint, _ b: LoadedCheckpoint) throws -> [ModelDifference] {
        try CheckpointPair(a: NamedCheckpoint("a", a), b: NamedCheckpoint("b", b)).differences()
    }

    /// A fixture, values of its config.json, and the setting by which the model is then another one.
    struct Change: CustomTestStringConvertible {
        let model: String
        let members: String
        let key: String
        let a: String
        let b: String
        /// How many settings differ.
        var count = 1

        init(_ model: String, _ members: String, _ key: String, _ a: String, _ b: String, count: Int = 1) {
            (self.model, self.members, self.key, self.a, self.b) = (model, members, key, a, b)
            self.count = count
        }

        var testDescription: String { "\(model) \(members)" }
    }

    static let changes = [
        Change(
            "mha", #"{"rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}}"#, "rope_theta", "10000",
            "1000000"),
        Change("mha", #"{"rms_norm_eps": 0.01}"#, "rms_norm_eps", "1e-05", "0.01"),
        Change("mha", #"{"hidden_act": "gelu"}"#, "hidden_act", "silu", "gelu"),
        Change("mha", #"{"max_position_embeddings": 64}"#, "max_position_embeddings", "128", "64"),
        Change("mha", #"{"bos_token_id": 5}"#, "bos_token_id", "0", "5"),
        Change("mha", #"{"eos_token_id": [7, 2]}"#, "eos_token_id", "2", "[2, 7]"),
        Change("mha", #"{"num_key_value_heads": 2}"#, "num_key_value_heads", "4", "2"),
        Change("mha", #"{"num_attention_heads": 8}"#, "num_attention_heads", "4", "8"),
        Change("mha", #"{"head_dim": 4}"#, "head_dim", "8", "4"),
        Change("mha", #"{"intermediate_size": 48}"#, "intermediate_size", "64", "48"),
        Change("mha", #"{"num_hidden_layers": 1}"#, "num_hidden_layers", "2", "1"),
        Change("mha", #"{"attention_bias": true}"#, "attention_bias", "false", "true"),
        Change("mha", #"{"mlp_bias": true}"#, "mlp_bias", "false", "true"),
        Change("mha", #"{"model_type": "qwen2"}"#, "model_type", "llama", "qwen2", count: 2),
        Change(
            "mha", #"{"rope_parameters": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 2}}"#, "rope_scaling",
            "none", "linear by 2"),
        Change(
            "mha", #"{"rope_scaling": {"rope_theta": 10000.0, "rope_type": "dynamic", "factor": 2.5}}"#, "rope_scaling",
            "none", "dynamic by 2.5"),
        Change(
            "mha",
            #"{"rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}}"#,
            "rope_scaling", "none", "llama3 by 8 from 64 positions, low_freq_factor 1, high_freq_factor 4"),
        Change(
            "qwen2-windowed",
            #"{"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "mscale": 1.5, "mscale_all_dim": 0.5, "original_max_position_embeddings": 16, "truncate": false, "beta_fast": 16}}"#,
            "rope_scaling", "yarn by 4 from 16 positions, beta_fast 32, beta_slow 1, not truncated",
            "yarn by 4 from 16 positions, beta_fast 16, beta_slow 1, not truncated"),
        Change(
            "phi3-longrope",
            #"{"rope_parameters": {"long_factor": [1.5, 3, 6, 13], "original_max_position_embeddings": 32, "rope_type": "longrope", "short_factor": [1, 1.25, 1.5, 2]}}"#,
            "long_factor", "[1.5, 3, 6, 12]", "[1.5, 3, 6, 13]"),
        Change("mistral", #"{"sliding_window": 7}"#, "sliding_window", "5", "7"),
        Change("mistral", #"{"sliding_window": null}"#, "sliding_window", "5", "none"),
        Change(
            "qwen2-windowed", #"{"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}"#,
            "layer_types", "sliding in layers [1, 2]", "sliding in layers [0, 2]"),
        Change("gemma2", #"{"attn_logit_softcapping": 50}"#, "attn_logit_softcapping", "1.5", "50"),
        Change("gemma2", #"{"final_logit_softcapping": null}"#, "final_logit_softcapping", "2", "none"),
        Change("gemma2", #"{"query_pre_attn_scalar": 12}"#, "query_pre_attn_scalar", "9", "12"),
        Change("gemma2", #"{"hidden_activation": "gelu"}"#, "hidden_activation", "gelu_tanh", "gelu"),
        Change(
            "gemma3",
            #"{"rope_parameters": {"full_attention": {"rope_theta": 50000.0, "rope_type": "default"}, "sliding_attention": {"rope_theta": 200, "rope_type": "default"}}}"#,
            "rope_local_base_freq", "100", "200"),
        Change("gpt2", #"{"layer_norm_epsilon": 1e-06}"#, "layer_norm_epsilon", "1e-05", "1e-06"),
        Change("gpt2", #"{"activation_function": "relu"}"#, "activation_function", "gelu_tanh", "relu"),
        Change("gpt2", #"{"scale_attn_weights": false}"#, "scale_attn_weights", "true", "false"),
        Change(
            "gpt2", #"{"scale_attn_by_inverse_layer_idx": true}"#, "scale_attn_by_inverse_layer_idx", "false", "true"),
        Change("gpt-neox", #"{"use_parallel_residual": false}"#, "use_parallel_residual", "true", "false"),
        Change("gpt-neox", #"{"layer_norm_eps": 1e-06}"#, "layer_norm_eps", "1e-05", "1e-06"),
        Change(
            "gpt-neox", #"{"rope_parameters": {"partial_rotary_factor": 0.5, "rope_type": "default"}}"#,
            "partial_rotary_factor", "0.25", "0.5"),
    ]

    @Test("a setting that changes numbers is named with both values", arguments: changes)
    func named(change: Change) throws {
        let original = try fixtureModel(change.model)
        let other = try configured(original, change.members)
        let found = try differences(original, other)
        #expect(found.contains(.setting(key: change.key, a: change.a, b: change.b)), "\(found)")
        #expect(found.count == change.count, "\(found)")
        #expect(try differences(other, original).contains(.setting(key: change.key, a: change.b, b: change.a)))
        #expect(
            ModelDifference.sentences(found, "one", "two").contains(
                "\(change.key) (\(change.a.prefix(20))"))
    }

    @Test(
        "how a file was written is no difference",
        arguments: [
            #"{"transformers_version": "4.1"}"#, #"{"dtype": "bfloat16", "torch_dtype": "float16"}"#,
            #"{"architectures": ["B", "LlamaForCausalLM"]}"#, #"{"_name_or_path": "there", "use_cache": false}"#,
            #"{"initializer_range": 1, "attention_dropout": 0.5}"#, #"{"pad_token_id": 9}"#,
            // Defaults written out, and another spelling of the same.
            #"{"rope_theta": 10000.0, "rope_scaling": null}"#, #"{"eos_token_id": [2, 2]}"#,
            #"{"rope_parameters": {"rope_theta": 10000, "rope_type": "default", "factor": 1.0}}"#,
        ])
    func idle(members: String) throws {
        let original = try fixtureModel("mha")
        #expect(try differences(original, configured(original, members)) == [])
    }

    @Test("a default that one file leaves out is no difference")
    func defaults() throws {
        let original = try fixtureModel("mha")
        let short = try configured(
            original,
            without: ["attention_bias", "head_dim", "hidden_act", "mlp_bias", "num_key_value_heads", "rope_parameters"])
        #expect(try differences(original, short) == [] && differences(short, original) == [])
    }

    @Test("whether the output matrix is the embedding is a matter of weights")
    func tied() throws {
        let original = try fixtureModel("gqa-tied")
        #expect(try differences(original, untied(original)) == [])
    }

    @Test("of models that can't be run, the keys of config.json that differ are named")
    func unknown() throws {
        let original = try fixtureModel("mha")
        let (a, b) = (
            try configured(original, #"{"model_type": "mamba", "state_size": 16}"#),
            try configured(original, #"{"model_type": "mamba", "state_size": 8, "dtype": "float16"}"#)
        )
        #expect(try differences(a, b) == [.setting(key: "state_size", a: "16", b: "8")])
    }

    // MARK: Chat templates and tokenizers

    private func copy(_ name: String, _ change: (String) throws -> Void) throws -> LoadedCheckpoint {
        let path = folder.file(name)
        try copyFolder(modelFolder("tiny-chat"), to: path)
        try change(path)
        return LoadedCheckpoint(try Checkpoint.open(path))
    }

    private func rewrite(_ path: String, _ change: (String) -> String) throws {
        let text = try TextFile.read(path)
        let other = change(text)
        #expect(other != text)
        writeBytes(Array(other.utf8), path)
    }

    @Test("two chat templates, and one beside none")
    func templates() throws {
        let original = try copy("same") { _ in }
        let other = try copy("other") { path in
            try rewrite(path + "/tokenizer_config.json") { $0.replacing("You are a small model.", with: "") }
        }
        let none = try copy("none") { path in
            try rewrite(path + "/tokenizer_config.json") { $0.replacing("\"chat_template\"", with: "\"nothing\"") }
        }
        #expect(try differences(original, copy("again") { _ in }) == [])
        // The checkpoint was made without generation_config.json; its template is the same.
        let converted = try differences(original, fixtureModel("tiny-chat"))
        var files = ModelDifference.Files()
        files.a = "generation_config.json"
        #expect(converted == [.setting(key: "eos_token_id", a: "[2, 7]", b: "2", files: files)])
        #expect(
            ModelDifference.sentences(converted, "a", "b")
                == "generation_config.json of a and config.json of b differ in eos_token_id ([2, 7] and 2).")
        #expect(try differences(original, other) == [.chatTemplates])
        #expect(try differences(none, original) == [.chatTemplate(isInA: false)])
        #expect(ModelDifference.sentences([.chatTemplates], "a", "b") == "The chat templates of a and b differ.")
    }

    @Test("a setting is told of the file that it stands in, and lists of ids have brackets")
    func files() throws {
        let original = try copy("same") { _ in }
        let other = try copy("other") { path in
            writeBytes(Array(#"{"eos_token_id": 7, "do_sample": true}"#.utf8), path + "/generation_config.json")
            try rewrite(path + "/config.json") {
                $0.replacing(/"rms_norm_eps": [^,\n]*/, with: "\"rms_norm_eps\": 0.01")
            }
        }
        let found = try differences(original, other)
        #expect(found.count == 2, "\(found)")
        #expect(
            ModelDifference.sentences(found, "a", "b").contains(
                "Their generation_config.json differ in eos_token_id ([2, 7] and 7): a and b."))
        #expect(ModelDifference.sentences(found, "a", "b").contains("Their config.json differ in rms_norm_eps ("))
        // The order of the ids is no difference, nor a list of one.
        let again = try copy("again") { path in
            writeBytes(Array(#"{"eos_token_id": [7, 2, 7]}"#.utf8), path + "/generation_config.json")
        }
        #expect(try differences(original, again) == [])
    }

    @Test("tokenizers differ in a token, in a special token and in merges, but not in how the file is written")
    func tokenizers() throws {
        let original = try copy("same") { _ in }
        func changed(_ name: String, _ change: (String) -> String) throws -> [ModelDifference] {
            let other = try copy(name) { path in try rewrite(path + "/tokenizer.json", change) }
            return try differences(original, other)
        }
        #expect(try changed("spaced") { $0 + "\n\n" } == [])
        let token = try changed("token") { text in
            text.replacing("\"X\": 58,", with: "\"Y\": 58,").replacing("\"Y\": 59,", with: "\"X\": 59,")
        }
        #expect(token == [.tokenizers(.token(id: 58, a: "X", b: "Y"))])
        let merges = try changed("merges") { $0.replacing(/\[\s*"h",\s*"e"\s*\],/, with: "") }
        guard case .tokenizers(.encoding)? = merges.first else {
            Issue.record("\(merges)")
            return
        }
        let special = try changed("special") {
            $0.replacing(/"special":\s*true/, with: "\"special\": false", maxReplacements: 1)
        }
        guard case .tokenizers(.special)? = special.first else {
            Issue.record("\(special)")
            return
        }
    }

    // MARK: What can't be read

    /// Puts a folder in the place of a file, which no one can read.
    private func block(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    @Test(
        "what can't be read of one of the two is told as such, and never as missing",
        arguments: [
            ("tokenizer.json", ModelDifference.Part.tokenizer), ("tokenizer_config.json", .chatTemplate),
            ("generation_config.json", .generation),
        ], [false, true])
    func unread(file: (name: String, part: ModelDifference.Part), isCut: Bool) throws {
        let original = try copy("same") { _ in }
        let other = try copy("other") { path in
            if isCut {
                writeBytes(Array("[1,".utf8), "\(path)/\(file.name)")
            } else {
                try block("\(path)/\(file.name)")
            }
        }
        for (a, b, isInA) in [(original, other, false), (other, original, true)] {
            let found = try differences(a, b)
            guard found.count == 1, case .unread(file.part, isInA, let reason) = found[0] else {
                Issue.record("\(file): \(found)")
                continue
            }
            #expect(reason.contains(file.name), "\(reason)")
            let words = ModelDifference.sentences(found, "one", "two")
            #expect(
                words.hasPrefix("The \(file.part.rawValue) of \(isInA ? "one" : "two") can't be read ("), "\(words)")
        }
    }

    @Test("a template that can't be used and stands nowhere is told as such, and one of two that can't be read, too")
    func unusable() throws {
        let original = try fixtureModel("mha")
        let broken = try copy("broken") { path in writeBytes(Array("{".utf8), path + "/tokenizer_config.json") }
        #expect(throws: (any Error).self) { try broken.hasChatTemplate() }
        let found = try differences(original, broken)
        #expect(
            found.contains {
                guard case .unread(.chatTemplate, isInA: false, let reason) = $0 else { return false }
                return reason.contains("tokenizer_config.json")
            }, "\(found)")
    }

    @Test("nothing is said of a checkpoint whose file was written over")
    func writtenOver() throws {
        let path = folder.file("w.h5")
        try FileManager.default.copyItem(atPath: repositoryFile("Checkpoints/pearl-tuned.h5"), toPath: path)
        let live = LoadedCheckpoint(try Checkpoint.open(path))
        var bytes = readBytes(path)
        bytes[bytes.count / 2] ^= 1
        writeBytes(bytes, path)
        let error = #expect(throws: (any Error).self) { try differences(live, pearl("chat")) }
        let changed = try #require(error.flatMap(ChangedFile.init))
        #expect(changed.file == path && changed.problem.contains("was written to"))
        #expect(throws: (any Error).self) { try live.hasChatTemplate() }
    }
}
