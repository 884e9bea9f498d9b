internal import TerminalText

/// The values by which `$` variables in a command line are replaced.
package struct Expansion {
    /// Returns the value of a text variable; nil if there is none of that name.
    package var lookup: (String) -> String?
    /// Returns the names of all text variables, for the message about an unknown one.
    package var known: () -> [String]
    /// The arguments of the running script, the values of `$1`, `$2`, ….
    package var arguments: [String]

    package init(
        lookup: @escaping (String) -> String? = { _ in nil }, known: @escaping () -> [String] = { [] },
        arguments: [String] = []
    ) {
        self.lookup = lookup
        self.known = known
        self.arguments = arguments
    }

    package init(_ variables: [String: String], arguments: [String] = []) {
        self.init(lookup: { variables[$0] }, known: { variables.keys.sorted() }, arguments: arguments)
    }

    /// Returns the text by which a `$` variable is replaced, with the arguments joined by blanks for `$@`, or what is
    /// wrong with it.
    func value(of variable: Lexer.Variable) -> Result<String, Failure> {
        switch variable {
        case .named(let name):
            if let value = lookup(name) { return .success(value) }
            return .failure(Failure(unknown(name)))
        case .argument(let number):
            if number >= 1 && number <= arguments.count { return .success(arguments[number - 1]) }
            let given =
                switch arguments.count {
                case 0: "no arguments were given"
                case 1: "1 argument was given"
                default: "\(arguments.count) arguments were given"
                }
            return .failure(Failure("$\(number) is not set: \(given); write \\$ for the character"))
        case .argumentCount: return .success(String(arguments.count))
        case .allArguments: return .success(arguments.joined(separator: " "))
        case .defaulted(let variable, let text):
            if case .malformed(let message) = variable { return .failure(Failure(message)) }
            if case .success(let value) = value(of: variable), !value.isEmpty { return .success(value) }
            return .success(text)
        case .malformed(let message): return .failure(Failure(message))
        }
    }

    package struct Failure: Error {
        package var message: String

        package init(_ message: String) { self.message = message }
    }

    private func unknown(_ name: String) -> String {
        let known = known()
        let shown = "no variable is called \(name.escapedForTerminal)"
        if known.isEmpty { return "\(shown); set it with: let \(name) = TEXT; write \\$ for the character" }
        // The text `$my-name` reads the variable `my`.
        if let longer = known.first(where: { $0.hasPrefix(name + "-") || $0.hasPrefix(name + ".") }) {
            return "\(shown); did you mean ${\(longer)}?"
        }
        if let close = Suggestion.closest(to: name, among: known) { return "\(shown); did you mean $\(close)?" }
        let list = known.prefix(10).joined(separator: ", ") + (known.count > 10 ? ", …" : "")
        return "\(shown); there are: \(list.escapedForTerminal)"
    }
}
