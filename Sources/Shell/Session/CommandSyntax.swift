import ArgumentParser
import JSON
import Language
import Synchronization
import TerminalText

/// The options and arguments of a command, read from the description that ArgumentParser gives of its declaration.
package struct CommandSyntax: Sendable {
    package struct Parameter: Sendable {
        /// The spellings of an option, such as `--at` and `-n`. The list is empty for a positional argument.
        package let names: [String]
        /// The name under which `CommandTraits.kinds` lists the parameter, such as `prompts`.
        package let key: String
        package let takesValue: Bool
        package let isRepeating: Bool
        /// The kind of thing that the parameter stands for, which completion uses. It is nil if any word may stand
        /// there.
        package let kind: CommandTraits.ArgumentKind?
        /// A test of whether the word after the option is its value. It is nil if any word is.
        let takes: (@Sendable (ParsedLine.Word) -> Bool)?
    }

    package let parameters: [Parameter]

    package var options: [Parameter] { parameters.filter { !$0.names.isEmpty } }
    package var positionals: [Parameter] { parameters.filter(\.names.isEmpty) }

    package func option(_ name: String) -> Parameter? { options.first { $0.names.contains(name) } }

    /// Returns the syntax of a command. Each syntax is read only once and then kept, because every line needs it and
    /// completion asks for it at every key.
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
        // The JSON has ArgumentParser's own format `ToolInfoV0`.
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
    /// Returns the words of a line in the form in which ArgumentParser should receive them.
    ///
    /// - Unknown and repeated options are refused here, unknown ones with a suggestion. ArgumentParser would answer
    ///   less helpfully or not at all, and it has hidden options of its own.
    /// - A long option and its value become one word, so that `--at -2` works.
    /// - Quoted words and numbers that begin with a dash are arguments, so that all arguments are placed after `--`.
    ///
    /// - Parameters:
    ///   - words: The words of the line after the verb.
    ///   - verb: The command's verb, for error messages.
    /// - Throws: `CommandError` with exit code 2 for an option that is unknown, given twice or lacks its value, and for
    ///   a flag with a value.
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
            } else if index < words.count, words[index].wasQuoted || !isOption(words[index].text) {
                result += [name, words[index].text].joinedOption
                index += 1
            } else {
                throw CommandError("\(name) needs a value", remedy: "see help \(verb)", exitCode: 2)
            }
        }
        // A text is joined by blanks anyway, and ArgumentParser's time grows with the square of the number of words.
        if positionals.count > 1, self.positionals.map(\.key) == ["text"] {
            positionals = [positionals.joined(separator: " ")]
        }
        guard positionals.count <= Self.mostWords else {
            throw CommandError(
                "\(verb) was given \(positionals.count) words, and takes at most \(Self.mostWords)",
                remedy: "put a text into quotes, which makes it one word", exitCode: 2)
        }
        if needsSeparator { result.append("--") }
        return result + positionals
    }

    /// The largest number of words, beside options, that a command takes.
    package static let mostWords = 2048

    private func isOption(_ text: String) -> Bool { option(String(text.prefix { $0 != "=" })) != nil }

    private func isNumber(_ text: String) -> Bool { Double(text) != nil && option(text) == nil }
}

extension [String] {
    /// The name and the value of an option as one word `--name=value`. Short options, and empty values, remain two
    /// words.
    fileprivate var joinedOption: [String] {
        // ArgumentParser takes `--name=` as an option whose value is missing, but accepts an empty word as an empty
        // value.
        self[0].hasPrefix("--") && !self[1].isEmpty ? ["\(self[0])=\(self[1])"] : self
    }
}
