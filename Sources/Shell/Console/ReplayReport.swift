import Language
import Reports
import TerminalText

extension Replay {
    private static let shownLines = 40
    private static let shownCommands = 50

    /// Returns the counts and the differences. Lines of the transcript are marked `-`, and lines that were printed now
    /// are marked `+`.
    func report(title: String) -> Report {
        var largest: (difference: NumberDifference, line: Int)?
        for result in results {
            guard let found = result.comparison.largest,
                found.difference.relative > largest?.difference.relative ?? 0
            else { continue }
            largest = (found.difference, result.entry.outputLine(found.line))
        }
        return Report(
            title: title,
            scalars: [
                Scalar("commands", .integer(results.count { !$0.entry.isComment })),
                Scalar("commands that differ", .integer(differing.count)),
                Scalar("lines", .integer(results.reduce(0) { $0 + $1.comparison.expected.count })),
                Scalar("numbers", .integer(results.reduce(0) { $0 + $1.comparison.numbers })),
                Scalar(
                    "largest relative difference", .number(largest?.difference.relative ?? 0),
                    note: largest.map { "\(file):\($0.line): \($0.difference.expected), now \($0.difference.printed)" }
                ),
            ], text: differing.isEmpty ? nil : diff)
    }

    private var diff: String {
        var blocks = differing.prefix(Self.shownCommands).map(Self.diff).map { lines in
            var shown = lines.prefix(Self.shownLines).joined(separator: "\n")
            if lines.count > Self.shownLines { shown += "\n... and \(lines.count - Self.shownLines) more lines" }
            return shown
        }
        if differing.count > Self.shownCommands {
            blocks.append("... and \(differing.count - Self.shownCommands) more commands")
        }
        return blocks.joined(separator: "\n\n")
    }

    /// Returns the command with its line in the file, and then the lines that differ. In each change the transcript's
    /// lines come before those that were printed now.
    private static func diff(_ result: Result) -> [String] {
        let comparison = result.comparison
        let lastLine = result.entry.outputLine(comparison.expected.count)
        let width = max(String(lastLine).utf8.count, 4)
        func line(_ number: Int?, _ sign: String, _ text: String) -> String {
            "\(number.map(String.init)?.padded(toWidth: width, right: true) ?? String(repeating: " ", count: width))"
                + " \(sign) \(text)"
        }
        var lines = [line(result.entry.line, ">", result.entry.command.replacing("\n", with: " "))]
        for change in comparison.changes {
            for index in change.expected {
                lines.append(line(result.entry.outputLine(index), "-", comparison.expected[index].raw))
            }
            for index in change.printed { lines.append(line(nil, "+", comparison.printed[index].raw)) }
            for (difference, _) in comparison.differences(change) {
                let share = NumberFormat.significant(difference.relative, digits: 2)
                lines.append(
                    line(nil, " ", "\(difference.expected) is now \(difference.printed): relative difference \(share)"))
            }
        }
        return lines
    }
}

extension Transcript.Entry {
    /// Returns the line of the file in which a line of the output stands.
    fileprivate func outputLine(_ index: Int) -> Int { line + commandLines + index }
}
