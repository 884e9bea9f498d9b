import TerminalText

/// The condition that the command `expect` checks: comparisons of numbers and texts, all of which must hold.
package struct Condition: Equatable {
    package enum Operand: Equatable {
        case number(Double)
        case text(String)
        /// The name of a value in a report, such as `it.entropy`.
        case path(String)
    }

    package enum Relation: String, CaseIterable, Sendable {
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
        case equal = "=="
        case unequal = "!="
        case near = "~"
    }

    /// The distance by which two numbers that are compared with `near` may differ.
    package enum Distance: Equatable {
        case absolute(Double)
        /// The distance is a share of the number on the right of the comparison.
        case relative(Double)
    }

    package struct Comparison: Equatable {
        package var left: Operand
        package var relation: Relation
        package var right: Operand
        /// The distance by which both sides may differ; nil for all relations but `near`.
        package var within: Distance?
        /// The comparison as the user wrote it, for messages.
        package var text: String
    }

    package let comparisons: [Comparison]

    // MARK: Words

    /// Returns the words of a command line as an expression's tokens, one token in each word. A text in quotes becomes
    /// `"TEXT"`, and comparisons need no blanks around them.
    package static func tokens(_ words: [ParsedLine.Word], in source: String) -> [ParsedLine.Word] {
        let bytes = Array(source.utf8)
        return words.flatMap { word -> [ParsedLine.Word] in
            let first = bytes.indices.contains(word.range.lowerBound) ? bytes[word.range.lowerBound] : 0
            if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
                return [.init("\"\(word.text)\"", wasQuoted: true, range: word.range)]
            }
            return word.wasQuoted ? [word] : split(word.text).map { .init($0, range: word.range) }
        }
    }

    /// Splits a word such as `a<b` at its comparison signs, here into three; text within brackets stays together.
    private static func split(_ word: String) -> [String] {
        let signs: Set<Character> = ["<", ">", "=", "!", "~"]
        var tokens: [String] = []
        var depth = 0
        var isSign = false
        for character in word {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            let sign = depth <= 0 && signs.contains(character)
            if tokens.isEmpty || sign != isSign {
                tokens.append(String(character))
            } else {
                tokens[tokens.count - 1].append(character)
            }
            isSign = sign
        }
        return tokens.isEmpty ? [word] : tokens
    }

    // MARK: Grammar

    /// Parses a condition, `OPERAND COMPARISON OPERAND [within DISTANCE] [and ...]`, from its tokens.
    ///
    /// - Throws: `CommandError` that says what was expected where.
    package init(_ tokens: [String]) throws {
        var rest = tokens[...]
        var comparisons: [Comparison] = []
        repeat {
            comparisons.append(try Self.comparison(&rest))
            guard let next = rest.popFirst() else { break }
            guard next == "and" else {
                throw Self.refusal("\(Self.shown(next)) can't follow a comparison", "join comparisons with and")
            }
        } while true
        self.comparisons = comparisons
    }

    private static func comparison(_ rest: inout ArraySlice<String>) throws -> Comparison {
        let start = rest
        let left = try operand(&rest)
        guard let sign = rest.popFirst() else {
            throw refusal("a comparison must follow \(shown(start.joined(separator: " ")))", "write for example < 0.1")
        }
        guard let relation = Relation(rawValue: sign) else {
            throw refusal(
                "\(shown(sign)) is no comparison",
                sign == "=" ? "write ==" : "there is \(Relation.allCases.map(\.rawValue).joined(separator: " "))")
        }
        let right = try operand(&rest)
        var within: Distance?
        if rest.first == "within" {
            rest.removeFirst()
            within = try distance(rest.popFirst())
        }
        guard (relation == .near) == (within != nil) else {
            throw relation == .near
                ? refusal("~ needs a distance", "write A ~ B within 0.01, or within 1%")
                : refusal("within goes with ~", "write A ~ B within 0.01")
        }
        let words = start[..<rest.startIndex]
        return Comparison(
            left: left, relation: relation, right: right, within: within, text: words.joined(separator: " "))
    }

    private static func operand(_ rest: inout ArraySlice<String>) throws -> Operand {
        guard let token = rest.popFirst() else {
            throw refusal("a number, a text in quotes or a value must stand at the end", "see help expect")
        }
        // The comparison is by bytes, because a quote and a combining mark after it are one character.
        let quote = UInt8(ascii: "\"")
        if token.utf8.count >= 2, token.utf8.first == quote, token.utf8.last == quote {
            return .text(String(Substring(token.utf8.dropFirst().dropLast())))
        }
        if let number = Double(token) { return .number(number) }
        guard let first = token.utf8.first, Name.isStart(first), token != "and", token != "within" else {
            throw refusal(
                "\(shown(token)) is no number, no text in quotes and no value of a report",
                "write for example it.value < 0.1")
        }
        return .path(token)
    }

    private static func distance(_ token: String?) throws -> Distance {
        guard let token else { throw refusal("a distance must follow within", "write within 0.01, or within 1%") }
        let isShare = token.hasSuffix("%")
        guard let number = Double(isShare ? String(token.dropLast()) : token), number >= 0 else {
            throw refusal("\(shown(token)) is no distance", "write within 0.01, or within 1%")
        }
        return isShare ? .relative(number / 100) : .absolute(number)
    }

    private static func shown(_ token: String) -> String { token.escapedForTerminal }

    private static func refusal(_ problem: String, _ remedy: String) -> CommandError {
        CommandError(problem, remedy: remedy, exitCode: 2)
    }
}
