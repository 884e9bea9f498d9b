import JSON
import Tokenizers

/// The sizes that most architectures name alike.
struct ModelShape {
    var hiddenSize: Int
    var layers: Int
    var heads: Int
    var keyValueHeads: Int
    var headDimension: Int
    var vocabularySize: Int
}

extension ConfigurationReader {
    /// Reads the sizes under their usual names and checks that they fit together.
    ///
    /// - Parameters:
    ///   - keyValueHeads: what a missing `num_key_value_heads` means; nil: as many as there are heads.
    ///   - headDimension: what a missing `head_dim` means; nil: the width divided by the heads.
    func shape(keyValueHeads: Int? = nil, headDimension: Int? = nil) throws -> ModelShape {
        let hidden = try count("hidden_size")
        let heads = try count("num_attention_heads", limit: 65_536)
        let shared =
            try optionalCount("num_key_value_heads", limit: 65_536)
            ?? (mentions("num_key_value_heads") ? heads : keyValueHeads ?? heads)
        guard heads % shared == 0 else {
            throw problem("num_key_value_heads", "\(shared) does not divide num_attention_heads, which is \(heads)")
        }
        let head: Int
        if let given = try optionalCount("head_dim", limit: 65_536) ?? headDimension {
            head = given
        } else {
            guard hidden % heads == 0 else {
                throw problem("hidden_size", "\(hidden) is not a multiple of the \(heads) heads")
            }
            head = hidden / heads
        }
        let shape = ModelShape(
            hiddenSize: hidden, layers: try count("num_hidden_layers", limit: 10_000), heads: heads,
            keyValueHeads: shared, headDimension: head, vocabularySize: try count("vocab_size"))
        try check(shape)
        return shape
    }

    /// Refuses sizes that overflow when multiplied, once, so that nothing later has to ask.
    func check(_ shape: ModelShape) throws {
        let (width, overflow) = shape.heads.multipliedReportingOverflow(by: shape.headDimension)
        guard !overflow, width <= 1 << 24 else {
            throw problem("head_dim", "\(shape.heads) heads of \(shape.headDimension) are too wide")
        }
    }

    /// The longest prompt under its usual name.
    func positions(default standard: Int) throws -> Int {
        try optionalCount("max_position_embeddings", limit: 1 << 30) ?? standard
    }

    /// What a norm adds to the variance.
    func epsilon(_ key: String, default standard: Double = 1e-6) throws -> Float {
        Float(try number(key, default: standard, above: 0))
    }

    /// The activation function under one of its names.
    func activation(_ key: String, default standard: Activation? = nil) throws -> Activation {
        if !has(key), let standard { return standard }
        let name = try string(key)
        guard let activation = Activation(name: name) else { throw unsupported("\(key) \"\(name)\"") }
        return activation
    }

    /// A soft cap: cap · tanh(x / cap); nil where the file says null, or nothing and there is no default.
    func softCap(_ key: String, default standard: Float?) throws -> Float? {
        guard json[key] != nil else { return standard }
        return try optionalNumber(key, above: 0).map { Float($0) }
    }

    /// For every layer, whether its attention slides over a window; the file's `layer_types` or else `isSliding`.
    func slidingLayers(_ layers: Int, otherwise isSliding: (Int) -> Bool) throws -> [Bool] {
        guard let list = json["layer_types"], !list.isNull else { return (0..<layers).map(isSliding) }
        guard let names = list.array, names.count == layers else {
            throw problem("layer_types", "must be a list of \(layers) names, one for each layer")
        }
        return try names.map {
            switch $0.string {
            case "full_attention": return false
            case "sliding_attention": return true
            default:
                throw problem(
                    "layer_types",
                    "\($0.string.map { "\"\($0)\"" } ?? "an entry") is neither full_attention nor sliding_attention")
            }
        }
    }

    /// Token ids that end a generation: one number or a list. As in `transformers`, from generation_config.json alone
    /// where there is one.
    var eosTokens: [Int32] {
        let end = (generation ?? json)["eos_token_id"]
        if let one = end?.int { return Int32(exactly: one).map { [$0] } ?? [] }
        return (end?.array ?? []).compactMap { $0.int.flatMap { Int32(exactly: $0) } }
    }

    /// The file that says which tokens end a generation.
    var eosFile: ConfigurationFile { generation == nil ? .config : .generation }

    var bosToken: Int32? { json["bos_token_id"]?.int.flatMap { Int32(exactly: $0) } }
}
