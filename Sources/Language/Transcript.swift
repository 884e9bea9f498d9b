import TerminalText

/// A recorded session of commands with its output, as `nacre --echo` prints it: lines `name> command`, each followed by
/// the output that it must print.
package struct Transcript: Equatable {
    /// The difference that is allowed between a printed number and the one in the transcript.
    package enum Tolerance: Equatable {
        /// The numbers may differ by this share of the larger of the two; 0 requires the same text.
        case relative(Double)
        /// Any number may stand in the place of the transcript's.
        case any

        /// The default tolerance: one unit in the last of four digits, or less.
        package static let standard = relative(1e-3)

        /// Reads the tolerance of numbers; nil if the text is neither a number from 0 to 1 nor `any`.
        package init?(_ text: some StringProtocol) {
            if text == "any" {
                self = .any
            } else if let share = Double(text), (0...1).contains(share) {
                self = .relative(share)
            } else {
                return nil
            }
        }

        package static let rule = "give a number from 0 to 1, or any"
    }

    /// One command of the transcript with the output that it must print.
    package struct Entry: Equatable {
        package var prompt: String
        /// The command as it was typed, with all its lines.
        package var command: String
        /// The number, in the transcript's file, of the command's first line, from 1.
        package var line: Int
        package var output: [String] = []
        /// The tolerance of numbers that the transcript sets for this command; nil if it sets none.
        package var tolerance: Tolerance?

        /// The number of lines that the command takes up.
        package var commandLines: Int { 1 + command.utf8.count { $0 == Lexer.newline } }
        /// Whether the command is only a comment.
        package var isComment: Bool { Parser.commands(in: command).isEmpty }
    }

    /// The comment lines of the transcript before its first command.
    package var preamble: [String] = []
    package var entries: [Entry] = []

    /// The name that stands for the transcript's file in the place of an error, as when commands are piped into nacre.
    package static let origin = "stdin"

    /// Reads a transcript (commands with the output that they must print) from a file's text.
    ///
    /// - Throws: `CommandError` if something other than comments comes before the first command, there is no command,
    ///   or a tolerance can't be read.
    package init(_ text: String, file: String) throws {
        var lines = text.withLineFeeds.utf8.split(separator: Lexer.newline, omittingEmptySubsequences: false).map {
            line in
            String(Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        var index = 0
        var pending: Tolerance?
        while index < lines.count {
            guard let (prompt, first) = Self.command(lines[index]) else {
                if entries.isEmpty {
                    guard Self.isRemark(lines[index]) else {
                        throw CommandError(
                            "\(file.escapedForTerminal):\(index + 1): a transcript begins with a command",
                            remedy: "write NAME> COMMAND, or # and a comment", exitCode: 2)
                    }
                    preamble.append(lines[index])
                } else {
                    entries[entries.count - 1].output.append(lines[index])
                }
                if lines[index].hasPrefix("#") {
                    pending = try Self.tolerance(lines[index], file, index + 1) ?? pending
                } else if !Self.isRemark(lines[index]) {
                    pending = nil
                }
                index += 1
                continue
            }
            var entry = Entry(prompt: prompt, command: first, line: index + 1)
            entry.command = Self.continued(first, lines[(index + 1)...])
            index += entry.commandLines
            let own = try Self.comment(of: entry.command).flatMap { try Self.tolerance($0, file, entry.line) }
            entry.tolerance = own ?? pending
            pending = entry.isComment ? entry.tolerance : nil
            entries.append(entry)
        }
        guard !entries.isEmpty else {
            throw CommandError(
                "\(file.escapedForTerminal) has no commands",
                remedy: "a transcript has lines NAME> COMMAND; nacre --echo prints one", exitCode: 2)
        }
    }

    /// The text of the transcript's file: its commands and their output.
    package var text: String {
        let blocks = entries.map { entry in [entry.prompt + entry.command] + entry.output }
        return (preamble + blocks.joined()).map { $0 + "\n" }.joined()
    }

    /// Returns whether a line of a transcript is blank or a comment.
    package static func isRemark(_ line: String) -> Bool { line.hasPrefix("#") || line.allSatisfy(\.isWhitespace) }

    /// Divides a transcript's line `name> command` or `name[edits]> command` into prompt and command; nil for another
    /// line.
    package static func command(_ line: String) -> (prompt: String, command: String)? {
        let bytes = line.utf8
        guard let first = bytes.first, Name.isStart(first) else { return nil }
        var end = bytes.firstIndex { !Name.isContinuation($0) } ?? bytes.endIndex
        if end < bytes.endIndex, bytes[end] == UInt8(ascii: "[") {
            guard let close = line[end...].firstRange(of: "]> ") else { return nil }
            end = bytes.index(after: close.lowerBound)
        }
        guard bytes[end...].starts(with: "> ".utf8) else { return nil }
        let start = bytes.index(end, offsetBy: 2)
        return (String(line[..<start]), String(line[start...]))
    }

    /// Returns a command with the lines after it that close its quotes or follow its backslashes. If no line before the
    /// next command closes a quote, the command is an erroneous one, and the lines after it are what its error printed.
    private static func continued(_ first: String, _ rest: ArraySlice<String>) -> String {
        var pending = PendingCommand()
        guard pending.append(first) else { return first }
        for line in rest {
            if command(line) != nil || line.hasPrefix("\(origin):") { return first }
            let isOpen = pending.append(line)
            if pending.byteCount > 1 << 14 { return first }
            if !isOpen { return pending.text }
        }
        return first
    }

    /// Returns the comment `#…` at the end of a command's text; nil if there is none.
    private static func comment(of command: String) -> Substring? {
        guard let start = command.lastIndex(of: "#") else { return nil }
        var lexer = Lexer(Array(command.utf8), isExpression: Parser.takesExpression)
        lexer.scan()
        while let next = lexer.next {
            lexer = next
            lexer.scan()
        }
        return lexer.endedInComment ? command[start...] : nil
    }

    /// Reads the tolerance of numbers from a comment such as `# tolerance 0.02`; nil for any other comment.
    private static func tolerance(
        _ comment: some StringProtocol, _ file: String, _ line: Int
    ) throws -> Tolerance? {
        let words = comment.drop { $0 == "#" }.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == "tolerance" else { return nil }
        guard let tolerance = Tolerance(words[1]) else {
            throw CommandError(
                "\(file.escapedForTerminal):\(line): the tolerance can't be \"\(String(words[1]).escapedForTerminal)\"",
                remedy: Tolerance.rule, exitCode: 2)
        }
        return tolerance
    }
}
