import Control
import JSON
import LinearAlgebra
import Models
import Testing
import Tokenizers

@Suite("Configurations and weights")
struct ConfigurationTests {
    private static let good: [String: String] = [
        "model_type": "\"llama\"", "hidden_size": "8", "num_hidden_layers": "1", "num_attention_heads": "2",
        "num_key_value_heads": "1", "intermediate_size": "6", "vocab_size": "5", "tie_word_embeddings": "true",
    ]

    private static func json(_ changes: [String: String?] = [:]) throws -> JSONValue {
        var members = good
        for (key, value) in changes { members[key] = value }
        let text = "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",") + "}"
        return try JSONValue(parsing: Array(text.utf8), file: "f")
    }

    /// Tensors in memory, all values 0.01.
    private final class Tensors: WeightSource, @unchecked Sendable {
        let label = "f"
        var shapes: [String: [Int]] = [:]
        var types: [String: ElementType] = [:]
        private let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 4096)

        init() {
            memory.initialize(repeating: 0.01)
            shapes = [
                "model.embed_tokens.weight": [5, 8], "model.norm.weight": [8],
                "model.layers.0.input_layernorm.weight": [8], "model.layers.0.post_attention_layernorm.weight": [8],
                "model.layers.0.self_attn.q_proj.weight": [8, 8], "model.layers.0.self_attn.k_proj.weight": [4, 8],
                "model.layers.0.self_attn.v_proj.weight": [4, 8], "model.layers.0.self_attn.o_proj.weight": [8, 8],
                "model.layers.0.mlp.gate_proj.weight": [6, 8], "model.layers.0.mlp.up_proj.weight": [6, 8],
                "model.layers.0.mlp.down_proj.weight": [8, 6],
            ]
        }

        deinit { memory.deallocate() }

        func describe(_ name: String) -> (type: ElementType, shape: [Int])? {
            shapes[name].map { (types[name] ?? .f32, $0) }
        }

        func tensor(_ name: String) -> TensorView? {
            shapes[name].map {
                TensorView(
                    name: name, type: types[name] ?? .f32, shape: $0, bytes: UnsafeRawBufferPointer(memory), owner: self
                )
            }
        }
    }

    @Test("a sound one is accepted and runs")
    func sound() throws {
        let model = try Architectures.decoder(Self.json(), weights: Tensors())
        let runner = Runner(model: model, pool: try ThreadPool(threadCount: 1))
        let summary = try runner.run(
            TokenSequences([[0, 1, 4]]), logits: LogitsRequest(rows: [2]) { _, _, _ in }, control: RunControl())
        #expect(summary.tokens == 3)
    }

    @Test(
        "what can't be run is named",
        arguments: [
            ("hidden_size", "0"), ("hidden_size", "-8"), ("hidden_size", "1e30"), ("hidden_size", "\"8\""),
            ("hidden_size", "99999999999999999999"), ("num_hidden_layers", "0"), ("num_attention_heads", "3"),
            ("num_key_value_heads", "3"), ("head_dim", "3"), ("rms_norm_eps", "-1"), ("rope_theta", "0"),
            ("hidden_act", "\"mish\""), ("tie_word_embeddings", "3"), ("vocab_size", "null"),
            ("rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 8}"),
            ("rope_parameters", "{\"rope_type\": \"yarn\", \"rope_theta\": 1e4}"),
            ("rope_parameters", "null, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}"),
            ("rope_scaling", "{\"factor\": 4}"), ("rope_scaling", "3"), ("hidden_act", "3"),
        ])
    func refusals(key: String, value: String) {
        let error = #expect(throws: ModelError.self) { try ModelConfiguration(Self.json([key: value]), file: "f") }
        #expect(error?.description.hasPrefix("f:") == true)
    }

    @Test("a missing tensor, a wrong shape and a wrong type are named, with what was expected")
    func tensors() throws {
        let c = try Self.json()
        for name in Tensors().shapes.keys {
            let missing = Tensors()
            missing.shapes[name] = nil
            let error = #expect(throws: ModelError.self) {
                try Architectures.decoder(c, weights: missing)
            }
            #expect(error?.description.contains(name) == true)
            let wrong = Tensors()
            wrong.shapes[name] = [3, 3]
            #expect(throws: ModelError.self) { try Architectures.decoder(c, weights: wrong) }
        }
        let integers = Tensors()
        integers.types["model.norm.weight"] = .i32
        #expect(throws: ModelError.wrongType(file: "f", name: "model.norm.weight", type: "i32")) {
            try Architectures.decoder(c, weights: integers)
        }
        #expect(throws: ModelError.self) {
            try Architectures.decoder(Self.json(["model_type": "\"nosuch\""]), weights: Tensors())
        }
    }

    @Test("prompts that can't be run are refused, and a cancelled run throws")
    func prompts() throws {
        let model = try Architectures.decoder(Self.json(), weights: Tensors())
        let runner = Runner(model: model, pool: try ThreadPool(threadCount: 2))
        let control = RunControl()
        #expect(throws: ModelError.noTokens(prompt: 1)) { try runner.run(TokenSequences([[0], []]), control: control) }
        #expect(throws: ModelError.tokenOutOfRange(id: 5, vocabulary: 5)) {
            try runner.run(TokenSequences([[5]]), control: control)
        }
        #expect(throws: ModelError.tokenOutOfRange(id: -1, vocabulary: 5)) {
            try runner.run(TokenSequences([[-1]]), control: control)
        }
        #expect(throws: ModelError.tooLong(prompt: 0, tokens: 3000, limit: 2048)) {
            try runner.run(TokenSequences([[Int32](repeating: 0, count: 3000)]), control: control)
        }
        control.cancel()
        #expect(throws: CancellationError.self) { try runner.run(TokenSequences([[0, 1]]), control: control) }
        control.reset()
        #expect(try runner.generate([1], limit: 3, stop: [], control: control).count == 3)
    }
}
