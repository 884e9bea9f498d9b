import JSON
internal import Tokenizers

extension ModelFolder {
    /// Why a folder's own chat template can't be used, in the form in which checkpoints keep templates.
    private static let chatJSON = """
        {"format": 1, "reducible": false, "reason": "it is a program, and none is run here; Scripts/convert.py to-hdf5 \
        makes a checkpoint that has it as plain text"}
        """

    /// `chat.json` as a checkpoint would have it; nil if the folder has no chat template.
    ///
    /// - Throws: if tokenizer_config.json, where it would be, can't be read.
    func chat() throws -> [UInt8]? {
        let hasTemplate =
            try has("chat_template.jinja")
            || tokenizerObject()?["chat_template"].map { !$0.isNull } ?? false
        return hasTemplate ? Array(Self.chatJSON.utf8) : nil
    }

    /// tokenizer_config.json, with what newer folders keep in chat_template.jinja and older ones in
    /// special_tokens_map.json: a checkpoint has one place for all of it.
    func tokenizerConfiguration() throws -> [UInt8]? {
        let text = try bytes(of: "tokenizer_config.json")
        // What is no JSON object is kept as it is.
        let object = try? tokenizerObject()
        guard text == nil || object != nil else { return text }
        var members = object?.members ?? []
        var isChanged = false
        func set(_ key: String, _ value: JSONValue) {
            isChanged = true
            let member = JSONObject.Member(key: key, value: value)
            if let index = members.firstIndex(where: { $0.key == key }) {
                members[index] = member
            } else {
                members.append(member)
            }
        }
        if let template = try bytes(of: "chat_template.jinja") {
            guard let template = String(validating: template, as: UTF8.self) else {
                throw CheckpointError(
                    .format, file: folder.join("chat_template.jinja"), problem: "it is not UTF-8",
                    remedy: "copy it again from where it came")
            }
            if JSONObject(members: members)["chat_template"]?.string != template {
                set("chat_template", .string(template))
            }
        }
        if let bytes = try bytes(of: "special_tokens_map.json") {
            let special = try JSONValue(parsing: bytes, file: folder.join("special_tokens_map.json"))
            for key in ["bos_token", "eos_token", "unk_token", "pad_token"] {
                let known = JSONObject(members: members)[key]
                if known == nil || known?.isNull == true, let value = special[key] { set(key, value) }
            }
        }
        return isChanged ? Array(JSONValue.object(JSONObject(members: members)).text.utf8) : text
    }

    /// tokenizer_config.json; nil if there is no such file.
    private func tokenizerObject() throws -> JSONObject? {
        guard let text = try bytes(of: "tokenizer_config.json") else { return nil }
        let path = folder.join("tokenizer_config.json")
        guard let object = try JSONValue(parsing: text, file: path).object else {
            throw CheckpointError(
                .format, file: path, problem: "it is no JSON object", remedy: "copy it again from where it came")
        }
        return object
    }
}
