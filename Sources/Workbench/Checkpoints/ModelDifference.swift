import TerminalText

/// Something apart from weights in which two models differ, A and B, and that may make their numbers differ.
package enum ModelDifference: Hashable, Sendable {
    /// A setting, with the value that is in force in A and in B, and the file of each that says so.
    case setting(key: String, a: String, b: String, files: Files = Files())
    case chatTemplates
    /// One of the two has a chat template: A if `isInA`, else B.
    case chatTemplate(isInA: Bool)
    case tokenizers(TokenizerDifference)
    /// A part of A, or else of B, can't be read, so that it is not known whether the two agree in it.
    case unread(Part, isInA: Bool, reason: String)

    /// The files of A and of B that say what a setting is.
    package struct Files: Hashable, Sendable {
        package var a = "config.json"
        package var b = "config.json"

        package init() {}
    }

    /// A part of a checkpoint beside its weights, by the words for it.
    package enum Part: String, Sendable {
        case configuration = "config.json"
        case generation = "generation_config.json"
        case chatTemplate = "chat template"
        case tokenizer = "tokenizer"
    }

    /// The first thing in which two tokenizers differ.
    package enum TokenizerDifference: Hashable, Sendable {
        /// A token id stands for different tokens, or for one in one of the two only.
        case token(id: Int32, a: String?, b: String?)
        /// A token is special, or found in text, in another way.
        case special(token: String)
        /// A text becomes other tokens.
        case encoding(of: String)
    }

    /// Returns differences as sentences.
    ///
    /// - Parameters:
    ///   - a: the name of A.
    ///   - b: the name of B.
    package static func sentences(_ differences: [ModelDifference], _ a: String, _ b: String) -> String {
        let (a, b) = (a.escapedForTerminal, b.escapedForTerminal)
        var settings: [(files: Files, list: [String])] = []
        var others: [String] = []
        for difference in differences {
            switch difference {
            case .setting(let key, let one, let other, let files):
                let words = "\(key.escapedForTerminal) (\(short(one)) and \(short(other)))"
                if let place = settings.firstIndex(where: { $0.files == files }) {
                    settings[place].list.append(words)
                } else {
                    settings.append((files, [words]))
                }
            case .chatTemplates: others.append("The chat templates of \(a) and \(b) differ.")
            case .chatTemplate(let isInA):
                others.append("\(isInA ? a : b) has a chat template, \(isInA ? b : a) has none.")
            case .tokenizers(let difference):
                others.append("The tokenizers of \(a) and \(b) differ\(difference.phrase).")
            case .unread(let part, let isInA, let reason):
                others.append(
                    "The \(part.rawValue) of \(isInA ? a : b) can't be read (\(reason)), so that it is not known whether it"
                        + " is that of \(isInA ? b : a).")
            }
        }
        let sentences = settings.map { files, list in
            let list = list.joined(separator: ", ")
            return files.a == files.b
                ? "Their \(files.a) differ in \(list): \(a) and \(b)."
                : "\(files.a) of \(a) and \(files.b) of \(b) differ in \(list)."
        }
        return (sentences + others).joined(separator: " ")
    }

    private static func short(_ value: String) -> String { value.truncated(toWidth: 60).escapedForTerminal }
}

extension ModelDifference.TokenizerDifference {
    /// What follows the words that the tokenizers differ.
    fileprivate var phrase: String {
        func quoted(_ token: String?) -> String {
            token.map { "\"\($0.truncated(toWidth: 40).escapedForTerminal)\"" } ?? "no token"
        }
        return switch self {
        case .token(let id, let a, let b): ": token \(id) is \(quoted(a)) and \(quoted(b))"
        case .special(let token): ": they treat the special token \(quoted(token)) in different ways"
        case .encoding(let text): ": they make other tokens of \(quoted(text))"
        }
    }
}
