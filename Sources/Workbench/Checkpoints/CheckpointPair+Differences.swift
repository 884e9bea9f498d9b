import Checkpoints
import JSON
import Models
import Tokenizers

extension CheckpointPair {
    /// Returns what makes the two models differ apart from their weights, in this order: settings of config.json, chat
    /// template, tokenizer. How a file was written is no difference, nor a default that one of two files leaves out.
    ///
    /// Whether embeddings are tied is none either: the output matrices are compared, as weights.
    /// They are found once for a pair, since tokenizers are long to compare.
    package func differences() -> [ModelDifference] {
        if let known = memory.differences { return known }
        let found =
            a.checkpoint === b.checkpoint
            ? [] : settingDifferences + [chatTemplateDifference, tokenizerDifference].compactMap(\.self)
        memory.differences = found
        return found
    }

    /// Tells what makes the two models differ apart from their weights, if anything does.
    package func tellDifferences(in context: RunContext) {
        for premise in premises { context.tell(.premise(premise)) }
    }

    /// What there is to say beside numbers that hold the two models against each other.
    package var premises: [Premise] {
        let found = differences()
        return found.isEmpty ? [] : [.modelsDiffer(a.name, b.name, found)]
    }

    // MARK: Settings

    private var settingDifferences: [ModelDifference] {
        guard let one = try? a.checkpoint.settings(), let other = try? b.checkpoint.settings() else {
            return unparsedDifferences
        }
        let values = Dictionary(other.map { ($0.usualKey, $0.value) }) { first, _ in first }
        let known = Set(one.map(\.usualKey))
        var found: [ModelDifference] = []
        for setting in one {
            let value = values[setting.usualKey] ?? "none"
            if value != setting.value { found.append(.setting(key: setting.key, a: setting.value, b: value)) }
        }
        for setting in other where !known.contains(setting.usualKey) && setting.value != "none" {
            found.append(.setting(key: setting.key, a: "none", b: setting.value))
        }
        return found
    }

    /// The keys of config.json that say how a file was made or is used, but change no number.
    private static let idleKeys: Set<String> = [
        "_name_or_path", "architectures", "attention_dropout", "dtype", "hidden_dropout", "initializer_range",
        "torch_dtype", "transformers_version", "use_cache",
    ]

    /// The keys of config.json whose values differ, in order of name, for models that nacre can't run.
    private var unparsedDifferences: [ModelDifference] {
        let members = [a, b].map { side -> [String: String] in
            let json = try? side.checkpoint.configurationJSON()
            return Dictionary((json?.object?.members ?? []).map { ($0.key, $0.value.text) }) { first, _ in first }
        }
        return Set(members.flatMap(\.keys)).subtracting(Self.idleKeys).sorted().compactMap { key in
            let (one, other) = (members[0][key] ?? "none", members[1][key] ?? "none")
            return one == other ? nil : .setting(key: key, a: one, b: other)
        }
    }

    // MARK: Chat template

    private var chatTemplateDifference: ModelDifference? {
        let sides = [a.checkpoint, b.checkpoint]
        let texts = sides.map { try? $0.file.chatJSON() }
        guard texts[0] != nil || texts[1] != nil else { return nil }
        guard texts[0] != nil, texts[1] != nil else { return .chatTemplate(isInA: texts[0] != nil) }
        if let one = try? a.checkpoint.chatTemplate(), let other = try? b.checkpoint.chatTemplate() {
            return one.rendersAs(other) ? nil : .chatTemplates
        }
        // A template that can't be used is compared as the program that it is.
        let programs = sides.map(Self.chatProgram)
        if let one = programs[0], let other = programs[1] { return one == other ? nil : .chatTemplates }
        return nil
    }

    /// Returns the chat template that tokenizer_config.json holds, as it stands there.
    private static func chatProgram(_ checkpoint: LoadedCheckpoint) -> String? {
        guard let bytes = try? checkpoint.file.tokenizerConfigJSON(),
            let json = try? JSONValue(parsing: bytes, file: "tokenizer_config.json")
        else { return nil }
        return json["chat_template"]?.text
    }

    // MARK: Tokenizer

    /// Texts in which tokenizers may differ although their tokens are the same.
    private static let probes = [
        "The sea, 1234.5 times  over;\n\n\tit's HERE", "Überraschung: naïve café — 你好, мир! 🙂", " leading", "trailing ",
    ]

    private var tokenizerDifference: ModelDifference? {
        let files = [a, b].map { try? $0.checkpoint.file.tokenizerJSON() }
        guard files[0] != nil, files[1] != nil, files[0] != files[1] else { return nil }
        guard let one = try? a.checkpoint.tokenizer(), let other = try? b.checkpoint.tokenizer() else {
            return .tokenizers(.unread)
        }
        let ids = 0..<Int32(clamping: max(one.vocabularySize, other.vocabularySize))
        for id in ids where one.token(id) != other.token(id) {
            return .tokenizers(.token(id: id, a: one.token(id), b: other.token(id)))
        }
        let added = Dictionary(other.addedTokens.map { ($0.id, $0) }) { first, _ in first }
        if let token = one.addedTokens.first(where: { added[$0.id] != $0 })
            ?? other.addedTokens.first(where: { token in !one.addedTokens.contains { $0.id == token.id } })
        {
            return .tokenizers(.special(token: token.content))
        }
        // Merges and rules differ where the text of a token becomes other tokens.
        let texts = Self.probes + ids.map { one.piece($0) }
        for text in texts where one.encode(text) != other.encode(text) {
            return .tokenizers(.encoding(of: text))
        }
        return nil
    }
}
