import JSON
import TerminalText

/// A chat template that was reduced to plain text around each role's turn when the checkpoint was converted.
package struct ChatTemplate: Sendable, Equatable {
    private struct Turn: Equatable {
        let prefix: String
        let suffix: String
        /// Whether the template strips white space from the message's ends.
        let trims: Bool

        func rendered(_ message: String) -> String { prefix + (trims ? message.trimmed : message) + suffix }
    }

    private let label: String
    private let bos: String
    private let defaultSystem: String
    private let system: Turn?
    private let systemReason: String
    private let user: Turn
    private let generationPrompt: String

    /// - Parameter json: the dataset `/tokenizer/chat.json` of a checkpoint, format 1 or 2.
    /// - Throws: `TokenizerError` when it is malformed, or says that the template can't be reduced, with the reason.
    package init(json: [UInt8], label: String) throws(TokenizerError) {
        let value = try JSONField.parsed(json, file: label)
        func refusal(_ problem: String) -> TokenizerError {
            .invalid(file: label, component: "chat.json", reason: problem)
        }
        guard let format = value["format"]?.int, (1...2).contains(format) else {
            throw refusal("its format is neither 1 nor 2; it comes from a newer version")
        }
        guard value["reducible"]?.bool == true else {
            let reason = value["reason"]?.string ?? "no reason is given"
            throw .unsupported(
                file: label, component: "the chat template", reason: "\(reason.escapedForTerminal); leave out --chat")
        }
        func text(_ json: JSONValue?, _ key: String) throws(TokenizerError) -> String {
            guard let text = json?[key]?.string else { throw refusal("\(key) is missing, or not a text") }
            return text
        }
        func turn(_ role: String) throws(TokenizerError) -> Turn {
            Turn(
                prefix: try text(value[role], "prefix"), suffix: try text(value[role], "suffix"),
                trims: value[role]?["trim"]?.bool ?? false)
        }
        self.label = label
        bos = try text(value, "bos")
        defaultSystem = try text(value, "default_system")
        generationPrompt = try text(value, "generation_prompt")
        let hasNoSystem = format == 2 && value["system"]?.isNull == true
        system = hasNoSystem ? nil : try turn("system")
        systemReason = value["system_reason"]?.string ?? "it has no turn for one"
        user = try turn("user")
    }

    /// Whether two templates make the same texts of all conversations, whatever checkpoints they come from.
    package func rendersAs(_ other: ChatTemplate) -> Bool {
        bos == other.bos && defaultSystem == other.defaultSystem && system == other.system && user == other.user
            && generationPrompt == other.generationPrompt
    }

    /// A conversation of one user's turn, up to where the assistant's answer begins.
    ///
    /// - Parameter system: a system message in place of the template's own.
    /// - Throws: `TokenizerError.unsupported` for a system message that the template does not take.
    package func render(user text: String, system message: String? = nil) throws(TokenizerError) -> String {
        var opening = defaultSystem
        if let message {
            guard let system else {
                throw .unsupported(file: label, component: "a system message", reason: systemReason.escapedForTerminal)
            }
            opening = system.rendered(message)
        }
        return bos + opening + user.rendered(text) + generationPrompt
    }

    /// Returns whether a text begins as the template's own output does: with BOS, or with a turn of the system or of the
    /// user. To render it would put a conversation into a turn.
    package func hasOpened(_ text: String) -> Bool {
        let text = text.trimmed
        return [bos, bos + defaultSystem, system?.prefix ?? "", user.prefix].map(\.trimmed).contains {
            !$0.isEmpty && text.hasPrefix($0)
        }
    }
}

extension String {
    /// Without white space at the ends, as Python's `strip`.
    fileprivate var trimmed: String {
        let scalars = Array(unicodeScalars)
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars[first...last])
        return String(result)
    }
}
