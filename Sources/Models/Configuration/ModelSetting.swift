/// A file that holds settings of a model, by its name.
package enum ConfigurationFile: String, Sendable {
    case config = "config.json"
    case generation = "generation_config.json"
}

/// A setting that changes what a model computes, with the value in force, be it written in a file or a default.
package struct ModelSetting: Sendable, Equatable {
    /// The key that most architectures' config.json has for the setting, such as `rms_norm_eps`.
    package let usualKey: String
    /// The key that this architecture's config.json has for it, such as `layer_norm_epsilon`.
    package internal(set) var key: String
    /// The value as text, to its last digit; `none` for a setting that is off. Lists are in brackets, as in JSON.
    package let value: String
    /// The file that says what the value is.
    package let file: ConfigurationFile

    init(_ key: String, _ value: String?, in file: ConfigurationFile = .config) {
        usualKey = key
        self.key = key
        self.value = value ?? "none"
        self.file = file
    }

    /// A list of values, in their order.
    init(_ key: String, list: [String], in file: ConfigurationFile = .config) {
        self.init(key, Self.text(list), in: file)
    }

    fileprivate static func text(_ list: [String]) -> String { "[\(list.joined(separator: ", "))]" }

    init(_ key: String, _ value: Int?) { self.init(key, value.map { String($0) }) }

    init(_ key: String, _ value: Bool) { self.init(key, String(value)) }

    init(_ key: String, _ value: Double?) { self.init(key, value.map(NumberText.short)) }

    init(_ key: String, _ value: Float?) {
        self.init(key, value.map { $0 == $0.rounded() && abs($0) < 1e9 ? String(Int($0)) : String($0) })
    }
}

/// The names of the matrices at both ends of a model. A tied model has only the embedding, which serves as both.
package struct EndNames: Sendable, Hashable {
    /// The embedding without the prefix of the model's body, such as `embed_tokens.weight`.
    package let embedding: String
    /// The output matrix, which has no prefix, such as `lm_head.weight`.
    package let head: String
    /// What stands before the names of all tensors but the output matrix, unless a bare model was saved: `model.`.
    package let bodyPrefix: String
}

extension Architecture {
    var ownSettings: [ModelSetting] { [] }
    static var settingNames: [String: String] { [:] }
    static var endNames: EndNames {
        EndNames(embedding: "embed_tokens.weight", head: "lm_head.weight", bodyPrefix: "model.")
    }

    /// The names of the model's embedding and output matrix.
    package var endNames: EndNames { Self.endNames }

    /// Every setting that changes what the model computes, or where a generation ends, each once. Whether embeddings
    /// are tied is no setting here: it is a matter of which tensor is the output matrix.
    package var settings: [ModelSetting] {
        (configuration.settings + ownSettings).map { setting in
            var setting = setting
            setting.key = Self.settingNames[setting.usualKey] ?? setting.usualKey
            return setting
        }
    }
}

extension ModelConfiguration {
    /// The settings that configurations of all architectures hold.
    var settings: [ModelSetting] {
        let windows = attention.map(\.window)
        let sliding = windows.indices.filter { windows[$0] != nil }
        var settings: [ModelSetting] = [
            ModelSetting("model_type", modelType), ModelSetting("hidden_size", hiddenSize),
            ModelSetting("num_hidden_layers", layers), ModelSetting("num_attention_heads", heads),
            ModelSetting("num_key_value_heads", keyValueHeads), ModelSetting("head_dim", headDimension),
            ModelSetting("intermediate_size", intermediateSize), ModelSetting("vocab_size", vocabularySize),
            ModelSetting("hidden_act", activation.rawValue),
            ModelSetting("sliding_window", windows.compactMap(\.self).first),
            // Where all layers are alike, the window says it all.
            ModelSetting(
                "layer_types",
                sliding.isEmpty || sliding.count == layers
                    ? nil : "sliding in layers \(ModelSetting.text(sliding.map(String.init)))"),
            ModelSetting("attn_logit_softcapping", attention.first?.softCap),
            ModelSetting("final_logit_softcapping", logitSoftCap),
            ModelSetting("bos_token_id", bosToken.map { Int($0) }),
        ]
        // Any order of the ids is the same setting, and one id is the same as a list of it.
        let ends = Set(eosTokens).sorted().map(String.init)
        settings.append(
            ends.count > 1
                ? ModelSetting("eos_token_id", list: ends, in: eosFile)
                : ModelSetting("eos_token_id", ends.first, in: eosFile))
        // Layers whose attention slides may have a base of their own, which their architecture names itself.
        let rotary = (attention.first { $0.window == nil } ?? attention.first)?.rotary
        settings.append(ModelSetting("max_position_embeddings", rotary?.limit(ofReach: maxPositions) ?? maxPositions))
        return settings + (rotary?.settings(head: headDimension) ?? [])
    }
}

extension RotaryConfiguration {
    /// The settings of the rotary embedding of heads that are `head` values wide.
    fileprivate func settings(head: Int) -> [ModelSetting] {
        var settings = [
            ModelSetting("rope_theta", theta), ModelSetting("rope_scaling", scalingText),
            ModelSetting("partial_rotary_factor", Double(dimension) / Double(head)),
            ModelSetting("attention_factor", attentionFactor),
        ]
        if case .longrope(let short, let long, _) = scaling {
            for (key, factors) in [("short_factor", short), ("long_factor", long)] {
                settings.append(ModelSetting(key, list: factors.map(NumberText.short)))
            }
        }
        return settings
    }

    /// The scaling in words with all its numbers but the lists of LongRoPE; nil if there is none.
    private var scalingText: String? {
        let number = NumberText.short
        return switch scaling {
        case .none: nil
        case .linear(let factor), .dynamic(let factor, _): "\(name) by \(number(factor))"
        case .llama3(let factor, let low, let high, let original):
            "\(name) by \(number(factor)) from \(original) positions, low_freq_factor \(number(low)), high_freq_factor"
                + " \(number(high))"
        case .yarn(let factor, let fast, let slow, let original, let truncates):
            "\(name) by \(number(factor)) from \(original) positions, beta_fast \(number(fast)), beta_slow"
                + " \(number(slow))\(truncates ? "" : ", not truncated")"
        case .longrope(_, _, let original): "\(name) from \(original) positions"
        }
    }
}
