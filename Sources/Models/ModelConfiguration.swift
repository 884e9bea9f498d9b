package import Tokenizers

/// What config.json says of a decoder-only transformer, by Hugging Face's names.
package struct ModelConfiguration: Sendable, Equatable {
    package let modelType: String
    package let hiddenSize: Int
    package let layers: Int
    package let heads: Int
    package let keyValueHeads: Int
    package let headDimension: Int
    package let intermediateSize: Int
    package let vocabularySize: Int
    package let maxPositions: Int
    package let normEpsilon: Float
    package let ropeTheta: Double
    package let tiedEmbeddings: Bool
    package let attentionBias: Bool
    package let mlpBias: Bool
    package let bosToken: Int32?
    /// Any of these ends a generation.
    package let eosTokens: [Int32]

    /// Query heads that share one key-value head.
    package var group: Int { heads / keyValueHeads }

    /// Reads the keys that `llama`-like models share.
    ///
    /// - Parameter generation: generation_config.json, if there is one. As in `transformers`, what ends a generation is
    ///   then taken from there alone.
    /// - Throws: `ModelError` naming the key, what it holds and what was expected; also for an option that would change
    ///   the numbers and is not implemented.
    package init(_ json: JSONValue, generation: JSONValue? = nil, file: String) throws {
        let reader = Reader(json: json, file: file)
        modelType = try reader.string("model_type")
        hiddenSize = try reader.count("hidden_size")
        layers = try reader.count("num_hidden_layers", limit: 10_000)
        heads = try reader.count("num_attention_heads", limit: 65_536)
        keyValueHeads = try reader.optionalCount("num_key_value_heads", limit: 65_536) ?? heads
        guard heads % keyValueHeads == 0 else {
            throw reader.problem(
                "num_key_value_heads", "\(keyValueHeads) does not divide num_attention_heads, which is \(heads)")
        }
        if let head = try reader.optionalCount("head_dim", limit: 65_536) {
            headDimension = head
        } else {
            guard hiddenSize % heads == 0 else {
                throw reader.problem("hidden_size", "\(hiddenSize) is not a multiple of the \(heads) heads")
            }
            headDimension = hiddenSize / heads
        }
        guard headDimension % 2 == 0 else {
            throw reader.problem("head_dim", "\(headDimension) is odd; rotary embedding turns pairs")
        }
        intermediateSize = try reader.count("intermediate_size")
        vocabularySize = try reader.count("vocab_size")
        maxPositions = try reader.optionalCount("max_position_embeddings", limit: 1 << 30) ?? 2048
        normEpsilon = Float(try reader.number("rms_norm_eps", default: 1e-6, above: 0))
        // Transformers 5 writes rope_parameters; before, rope_theta and rope_scaling stood on their own.
        for key in ["rope_parameters", "rope_scaling"] {
            guard let rope = json[key], !rope.isNull else { continue }
            guard rope.object != nil else { throw reader.problem(key, "must be an object") }
            let kind = rope["rope_type"] ?? rope["type"]
            let changes = ["factor", "partial_rotary_factor"].contains { rope[$0].map { $0.double != 1 } ?? false }
            guard kind?.string ?? "default" == "default", kind == nil || kind?.string != nil, !changes else {
                throw ModelError.unsupported(file: file, what: "\(key) of type \(kind?.string ?? "unnamed")")
            }
        }
        if let theta = json["rope_parameters"]?["rope_theta"]?.double {
            guard theta > 0, theta.isFinite else { throw reader.problem("rope_theta", "must be above 0") }
            ropeTheta = theta
        } else {
            ropeTheta = try reader.number("rope_theta", default: 10_000, above: 0)
        }
        tiedEmbeddings = try reader.flag("tie_word_embeddings", default: false)
        attentionBias = try reader.flag("attention_bias", default: false)
        mlpBias = try reader.flag("mlp_bias", default: false)
        let activation = json["hidden_act"] == nil ? "silu" : try reader.string("hidden_act")
        guard activation == "silu" || activation == "swish" else {
            throw ModelError.unsupported(file: file, what: "hidden_act \"\(activation)\"")
        }
        bosToken = json["bos_token_id"]?.int.flatMap { Int32(exactly: $0) }
        let end = (generation ?? json)["eos_token_id"]
        if let one = end?.int {
            eosTokens = Int32(exactly: one).map { [$0] } ?? []
        } else {
            eosTokens = (end?.array ?? []).compactMap { $0.int.flatMap { Int32(exactly: $0) } }
        }
        // Sizes that overflow when multiplied are refused here, once, so that nothing later has to ask.
        let (queryWidth, overflow) = heads.multipliedReportingOverflow(by: headDimension)
        guard !overflow, queryWidth <= 1 << 24 else {
            throw reader.problem("head_dim", "\(heads) heads of \(headDimension) are too wide")
        }
    }

    /// Checked access to keys.
    private struct Reader {
        let json: JSONValue
        let file: String

        func problem(_ key: String, _ problem: String) -> ModelError {
            .badConfiguration(file: file, key: key, problem: problem)
        }

        func string(_ key: String) throws -> String {
            guard let value = json[key]?.string else { throw problem(key, "missing, or not a text") }
            return value
        }

        func count(_ key: String, limit: Int = 1 << 24) throws -> Int {
            guard let value = try optionalCount(key, limit: limit) else { throw problem(key, "missing") }
            return value
        }

        func optionalCount(_ key: String, limit: Int = 1 << 24) throws -> Int? {
            guard let value = json[key], !value.isNull else { return nil }
            guard let number = value.int, (1...limit).contains(number) else {
                throw problem(key, "must be a whole number from 1 to \(limit)")
            }
            return number
        }

        func number(_ key: String, default standard: Double, above bound: Double) throws -> Double {
            guard let value = json[key], !value.isNull else { return standard }
            guard let number = value.double, number.isFinite, number > bound else {
                throw problem(key, "must be a number above \(bound)")
            }
            return number
        }

        func flag(_ key: String, default standard: Bool) throws -> Bool {
            guard let value = json[key], !value.isNull else { return standard }
            guard let flag = value.bool else { throw problem(key, "must be true or false") }
            return flag
        }
    }
}
