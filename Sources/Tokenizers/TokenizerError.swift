package import JSON
import TerminalText

/// Why a tokenizer.json, a configuration or a chat template could not be used.
package enum TokenizerError: Error, Equatable, Sendable {
    case malformed(JSONError)
    /// A part of `file` is missing, of the wrong type or contradicts another part.
    case invalid(file: String, component: String, reason: String)
    /// A part of `file` asks for something that is not implemented, so its token ids would be wrong.
    case unsupported(file: String, component: String, reason: String)
}

extension TokenizerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let error): error.description
        case .invalid(let file, let component, let reason):
            "\(file): \(component): \(reason)"
        case .unsupported(let file, let component, let reason):
            "\(file): \(component) is not supported: \(reason)"
        }
    }
}

extension StringProtocol {
    /// The text in quotes for an error message, cut to 48 scalars and safe for a terminal.
    var quoted: String { "\"\(escapedForTerminal(limit: 48))\"" }
}
