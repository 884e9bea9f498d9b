import Checkpoints
import JSON
import Models
import Tokenizers

extension CheckpointPair {
    /// Returns what makes the two models differ apart from their weights, in this order: settings of config.json, chat
    /// template, tokenizer. How a file was written is no difference, nor a default that one of two files leaves out. What
    /// can't be read of one of the two is told as such, since it may differ.
    ///
    /// Whether embeddings are tied is none either: the output matrices are compared, as weights.
    /// They are found once for a pair, since tokenizers are long to compare.
    ///
    /// - Throws: the error for a file that changed since it was opened.
    package func differences() throws -> [ModelDifference] {
        if let known = memory.differences { return known }
        var found: [ModelDifference] = []
        if a.checkpoint !== b.checkpoint {
            for side in [a, b] { try side.checkpoint.file.checkUnchanged() }
            found = try settingDifferences() + chatTemplateDifferences() + tokenizerDifferences()
        }
        memory.differences = found
        return found
    }

    /// Returns whether the two tokenizers are known to be the same, so that the same token ids mean the same in both.
    ///
    /// - Throws: the error for a file that changed since it was opened.
    package func haveOneTokenizer() throws -> Bool {
        try differences().allSatisfy { difference in
            switch difference {
            case .tokenizers, .unread(.tokenizer, _, _): false
            case .setting, .chatTemplate, .chatTemplates, .unread: true
            }
        }
    }

    /// Tells what makes the two models differ apart from their weights, if anything does.
    package func tellDifferences(in context: RunContext) throws {
        for premise in try premises { context.tell(.premise(premise)) }
    }

    /// What there is to say beside numbers that hold the two models against each other.
    package var premises: [Premise] {
        get throws {
            let found = try differences()
            return found.isEmpty ? [] : [.modelsDiffer(a.name, b.name, found)]
        }
    }

    /// A part of both checkpoints.
    private enum Sides<Part> {
        case read(Part, Part)
        /// The part can't be read of one of the two, or of both.
        case unread([ModelDifference])
    }

    /// Reads a part of both checkpoints.
    ///
    /// - Throws: the error for a file that changed since it was opened. Any other makes the part one that can't be read.
    private func sides<Part>(
        _ part: ModelDifference.Part, _ read: (LoadedCheckpoint) throws -> Part
    ) throws -> Sides<Part> {
        var parts: [Part] = []
        var unread: [ModelDifference] = []
        for (isInA, side) in [(true, a), (false, b)] {
            do {
                parts.append(try read(side.checkpoint))
            } catch  where ChangedFile(error) == nil {
                unread.append(.unread(part, isInA: isInA, reason: "\(error)"))
            }
        }
        return unread.isEmpty ? .read(parts[0], parts[1]) : .unread(unread)
    }

    // MARK: Settings

    private func settingDifferences() throws -> [ModelDifference] {
        guard case .read(let one, let other) = try sides(.configuration, { try $0.settings() }) else {
            return try unparsedDifferences()
        }
        let partners = Dictionary(other.map { ($0.usualKey, $0) }) { first, _ in first }
        let known = Set(one.map(\.usualKey))
        var found: [ModelDifference] = []
        for setting in one {
            let partner = partners[setting.usualKey]
            let value = partner?.value ?? "none"
            guard value != setting.value else { continue }
            var files = ModelDifference.Files()
            files.a = setting.file.rawValue
            files.b = partner?.file.rawValue ?? files.b
            found.append(.setting(key: setting.key, a: setting.value, b: value, files: files))
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
    private func unparsedDifferences() throws -> [ModelDifference] {
        var found: [ModelDifference] = []
        if case .unread(let unread) = try sides(.generation, { try $0.generationJSON() }) { found = unread }
        switch try sides(.configuration, { try $0.configurationJSON() }) {
        case .unread(let unread): return unread + found
        case .read(let one, let other):
            let members = [one, other].map { json in
                Dictionary((json.object?.members ?? []).map { ($0.key, $0.value.text) }) { first, _ in first }
            }
            return Set(members.flatMap(\.keys)).subtracting(Self.idleKeys).sorted().compactMap { key in
                let (one, other) = (members[0][key] ?? "none", members[1][key] ?? "none")
                return one == other ? nil : .setting(key: key, a: one, b: other)
            } + found
        }
    }

    // MARK: Chat template

    private func chatTemplateDifferences() throws -> [ModelDifference] {
        switch try sides(.chatTemplate, { try $0.file.chatJSON() }) {
        case .unread(let unread): return unread
        case .read(nil, nil): return []
        case .read(let one, let other) where one == nil || other == nil: return [.chatTemplate(isInA: one != nil)]
        case .read: break
        }
        if case .read(let one, let other) = try sides(.chatTemplate, { try $0.chatTemplate() }) {
            return one.rendersAs(other) ? [] : [.chatTemplates]
        }
        // A template that can't be used is compared as the program that it is.
        switch try sides(.chatTemplate, Self.chatProgram) {
        case .unread(let unread): return unread
        case .read(let one, let other): return one == other ? [] : [.chatTemplates]
        }
    }

    /// Returns the chat template that tokenizer_config.json holds, as it stands there; nil for one that can be used and
    /// does not stand there.
    ///
    /// - Throws: the reason why a template that does not stand there can't be used.
    private static func chatProgram(_ checkpoint: LoadedCheckpoint) throws -> String? {
        if let bytes = try checkpoint.file.tokenizerConfigJSON() {
            let json = try JSONValue(parsing: bytes, file: "\(checkpoint.label): tokenizer_config.json")
            if let program = json["chat_template"]?.text { return program }
        }
        _ = try checkpoint.chatTemplate()
        return nil
    }

    // MARK: Tokenizer

    /// Texts in which tokenizers may differ although their tokens are the same.
    private static let probes = [
        "The sea, 1234.5 times  over;\n\n\tit's HERE", "Überraschung: naïve café — 你好, мир! 🙂", " leading", "trailing ",
    ]

    private func tokenizerDifferences() throws -> [ModelDifference] {
        switch try sides(.tokenizer, { try $0.file.tokenizerJSON() }) {
        case .unread(let unread): return unread
        case .read(let one, let other):
            guard one != nil, other != nil, one != other else { return [] }
        }
        switch try sides(.tokenizer, { try $0.tokenizer() }) {
        case .unread(let unread): return unread
        case .read(let one, let other): return Self.difference(one, other).map { [.tokenizers($0)] } ?? []
        }
    }

    private static func difference(_ one: Tokenizer, _ other: Tokenizer) -> ModelDifference.TokenizerDifference? {
        let ids = 0..<Int32(clamping: max(one.vocabularySize, other.vocabularySize))
        for id in ids where one.token(id) != other.token(id) {
            return .token(id: id, a: one.token(id), b: other.token(id))
        }
        let added = Dictionary(other.addedTokens.map { ($0.id, $0) }) { first, _ in first }
        if let token = one.addedTokens.first(where: { added[$0.id] != $0 })
            ?? other.addedTokens.first(where: { token in !one.addedTokens.contains { $0.id == token.id } })
        {
            return .special(token: token.content)
        }
        // Merges and rules differ where the text of a token becomes other tokens.
        let texts = probes + ids.map { one.piece($0) }
        for text in texts where one.encode(text) != other.encode(text) { return .encoding(of: text) }
        return nil
    }
}
