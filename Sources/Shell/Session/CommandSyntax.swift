import ArgumentParser
import JSON
import Language
import Synchronization
import TerminalText

/// A command's options and arguments as ArgumentParser declares them, read from its introspection.
package struct CommandSyntax: Sendable {
    package struct Parameter: Sendable {
        /// `--at`, `-n`; empty for a positional argument.
        package let names: [String]
        /// `prompts`: the name that `CommandTraits.kinds` uses.
        package let key: String
        package let takesValue: Bool
        package let isRepeating: Bool
        /// What it stands for, for completion; nil: any word.
        package let kind: CommandTraits.ArgumentKind?
        /// Whether a word that follows is the value; nil: any word is.
        let takes: (@Sendable (ParsedLine.Word) -> Bool)?
    }

    package let parameters: [Parameter]

    package var options: [Parameter] { parameters.filter { !$0.names.isEmpty } }
    package var positionals: [Parameter] { parameters.filter(\.names.isEmpty) }

    package func option(_ name: String) -> Parameter? { options.first { $0.names.contains(name) } }

    /// The syntax of a command. It is read once: completion asks for it at every key, and each line does.
    package static func of(_ command: any Command.Type) -> CommandSyntax {
        known.withLock { known in
            if let syntax = known[command.verb] { return syntax }
            let syntax = CommandSyntax(command)
            known[command.verb] = syntax
            return syntax
        }
    }

    private static let known = Mutex<[String: CommandSyntax]>([:])

    private init(_ command: any Command.Type) {
        // The format is ArgumentParser's own `ToolInfoV0`.
        let json = try? JSONValue(parsing: Array(command._dumpHelp().utf8), file: command.verb)
        let arguments = json?["command"]?["arguments"]?.array ?? []
        let groups = OptionTraits.groups(of: command.init())
        var (kinds, optionalValues) = (command.traits.kinds, command.traits.optionalValues)
        for group in groups {
            kinds.merge(group.kinds) { own, _ in own }
            optionalValues.merge(group.optionalValues) { own, _ in own }
        }
        parameters = arguments.compactMap { argument in
            let kind = argument["kind"]?.string ?? "option"
            let names = (argument["names"]?.array ?? []).compactMap { name -> String? in
                guard let text = name["name"]?.string else { return nil }
                return (name["kind"]?.string == "long" ? "--" : "-") + text
            }
            let value = argument["valueName"]?.string ?? ""
            let long = names.first { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
            return Parameter(
                names: names, key: long ?? value, takesValue: kind != "flag",
                isRepeating: argument["isRepeating"]?.bool ?? false, kind: kinds[long ?? value],
                takes: optionalValues[long ?? value])
        }
    }
}

extension CommandSyntax {
    /// The words of a line as ArgumentParser should see them.
    ///
    /// - Unknown and repeated options are refused here, with a suggestion; ArgumentParser would answer less helpfully
    ///   or not at all, and it has hidden options of its own.
    /// - An option and its value become one word, so that `--at -2` works.
    /// - Quoted words that begin with a dash are arguments: they go after `--`.
    func arguments(_ words: [ParsedLine.Word], verb: String) throws -> [String] {
        var result: [String] = []
        var positionals: [String] = []
        var seen: Set<String> = []
        var index = 0
        var onlyArguments = false
        var needsSeparator = false
        while index < words.count {
            let word = words[index]
            index += 1
            let text = word.text
            guard !onlyArguments, !word.wasQuoted, text.hasPrefix("-"), text.count > 1, !isNumber(text) else {
                if text.hasPrefix("-") { needsSeparator = true }
                positionals.append(text)
                continue
            }
            if text == "--" {
                onlyArguments = true
                continue
            }
            let pieces = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pieces[0])
            if name == "--help" || name == "-h" { return ["--help"] }
            guard let parameter = option(name) else {
                let known = options.flatMap(\.names)
                let suggestion = Suggestion.closest(to: name, among: known).map { "did you mean \($0)?" }
                throw CommandError(
                    "\(verb) has no option \(name.escapedForTerminal)",
                    remedy: suggestion
                        ?? (known.isEmpty
                            ? "it takes none" : "it has \(known.joined(separator: ", ")); see help \(verb)"),
                    exitCode: 2)
            }
            if !parameter.isRepeating, !seen.insert(parameter.key).inserted {
                throw CommandError("\(name) is given twice", remedy: "give it once", exitCode: 2)
            }
            guard parameter.takesValue else {
                if pieces.count > 1 {
                    throw CommandError("\(name) takes no value", remedy: "write \(name) alone", exitCode: 2)
                }
                result.append(name)
                continue
            }
            if pieces.count > 1 {
                result += [name, String(pieces[1])].joinedOption
            } else if let takes = parameter.takes, index >= words.count || !takes(words[index]) {
                result.append("\(name)=\(CommandTraits.noValue)")
            } else if index < words.count {
                result += [name, words[index].text].joinedOption
                index += 1
            } else {
                throw CommandError("\(name) needs a value", remedy: "see help \(verb)", exitCode: 2)
            }
        }
        if needsSeparator { result.append("--") }
        return result + positionals
    }

    private func isNumber(_ text: String) -> Bool { Double(text) != nil && option(text) == nil }
}

extension [String] {
    /// `--name=value`; short options take their value as the next word.
    fileprivate var joinedOption: [String] {
        // ArgumentParser takes `--name=` for a missing value, and an empty word for an empty one.
        self[0].hasPrefix("--") && !self[1].isEmpty ? ["\(self[0])=\(self[1])"] : self
    }
}
