/// A chat template reduced to the texts around each message.
///
/// Checkpoints carry templates as programs (Jinja). What converts a checkpoint runs the program on samples and,
/// where the outcome is always the messages with fixed texts between, writes those; where it is not, the reason.
/// Version 1 of the format is
///
///     {"format": 1, "reducible": true, "bos": "", "default_system": "",
///      "system": {"prefix": "", "suffix": ""}, "user": {…}, "assistant": {…}, "generation_prompt": ""}
///
/// or `{"format": 1, "reducible": false, "reason": "…"}`.
package struct ChatTemplate: Sendable, Equatable {
    package enum Role: String, Sendable {
        case system, user, assistant
    }

    package struct Message: Sendable, Equatable {
        package let role: Role
        package let text: String

        package init(role: Role, text: String) {
            self.role = role
            self.text = text
        }
    }

    private struct Affixes: Sendable, Equatable {
        let prefix: String
        let suffix: String

        init(_ field: JSONField) throws(TokenizerError) {
            prefix = try field.required("prefix").string()
            suffix = try field.required("suffix").string()
        }

        func around(_ text: String) -> String {
            prefix + text + suffix
        }
    }

    private enum Content: Sendable, Equatable {
        case texts(
            bos: String, defaultSystem: String, system: Affixes, user: Affixes, assistant: Affixes,
            generationPrompt: String)
        case irreducible(reason: String)
    }

    private let label: String
    private let content: Content

    /// Reads a reduced template. One that could not be reduced is read too; it throws when it is used.
    ///
    /// - Parameter label: the name that errors carry.
    package init(json: [UInt8], label: String = "chat template") throws(TokenizerError) {
        self.label = label
        let root = JSONField(file: label, path: "", value: try JSONValue(parsing: json, file: label))
        guard root.value.object != nil else {
            throw .invalid(file: label, component: "template", reason: "expected an object, found \(root.value.kind)")
        }
        let format = try root.required("format")
        guard format.value.int == 1 else { throw format.unsupported("only format 1 is") }
        guard try root.required("reducible").bool() else {
            content = .irreducible(reason: try root.required("reason").string())
            return
        }
        content = .texts(
            bos: try root.required("bos").string(),
            defaultSystem: try root.required("default_system").string(),
            system: try Affixes(try root.required("system")),
            user: try Affixes(try root.required("user")),
            assistant: try Affixes(try root.required("assistant")),
            generationPrompt: try root.required("generation_prompt").string())
    }

    /// Why `render` throws; nil where it does not.
    package var irreducibleReason: String? {
        if case .irreducible(let reason) = content { reason } else { nil }
    }

    /// The text of a conversation of one user message, up to where the assistant's answer begins.
    ///
    /// Encode it with `addSpecialTokens: false`: what the model wants first is part of it.
    package func render(user text: String, system: String? = nil) throws(TokenizerError) -> String {
        let messages = [Message(role: .user, text: text)]
        return try render((system.map { [Message(role: .system, text: $0)] } ?? []) + messages)
    }

    /// The text of a conversation.
    ///
    /// - Parameter forGeneration: end where the assistant's next message begins.
    /// - Throws: `TokenizerError.unsupported` with the reason where the template could not be reduced.
    package func render(_ messages: [Message], forGeneration: Bool = true) throws(TokenizerError) -> String {
        switch content {
        case .irreducible(let reason):
            throw .unsupported(file: label, component: "the chat template", reason: reason.escaped)
        case .texts(let bos, let defaultSystem, let system, let user, let assistant, let generationPrompt):
            var text = bos
            if messages.first?.role != .system { text += defaultSystem }
            for message in messages {
                switch message.role {
                case .system: text += system.around(message.text)
                case .user: text += user.around(message.text)
                case .assistant: text += assistant.around(message.text)
                }
            }
            return forGeneration ? text + generationPrompt : text
        }
    }
}
