/// A comparison of the output that a transcript expects of a command with the output that it printed.
package struct OutputComparison {
    /// A change of output: printed lines that stand in the place of lines that the transcript expects.
    package struct Change: Equatable {
        /// The indices of the expected lines that were replaced.
        package var expected: Range<Int>
        /// The indices of the printed lines that replace them.
        package var printed: Range<Int>
    }

    /// The output lines that the transcript expects of the command, without the comments after them.
    package let expected: [PrintedLine]
    package let printed: [PrintedLine]
    package private(set) var changes: [Change] = []
    /// The number of numbers in the expected lines that were printed again, whatever the numbers' differences.
    package private(set) var numbers = 0
    /// The largest difference between an expected and a printed number in the same place, with its line in `expected`.
    package private(set) var largest: (difference: NumberDifference, line: Int)?
    /// The output lines that `replay --update` writes into the transcript. If nothing changed, these are the
    /// transcript's own lines, but error lines that begin with `stdin:` are replaced by the printed ones, since the
    /// place in them may have changed. Otherwise the printed lines replace the expected ones, and the comments after
    /// these stay.
    package private(set) var updated: [String]

    package var holds: Bool { changes.isEmpty }

    private let tolerance: Transcript.Tolerance
    /// For each printed line, the error's message without the place where it stood, which depends on how the commands
    /// are run; nil for a line that is no error.
    private let messages: [PrintedLine?]

    package init(_ output: [String], printed lines: [Tape.Line], tolerance: Transcript.Tolerance) {
        let remarks = Self.remarks(output, lines)
        expected = output.dropLast(remarks).map(PrintedLine.init)
        printed = lines.map { PrintedLine($0.text) }
        messages = lines.map { $0.message.map(PrintedLine.init) }
        self.tolerance = tolerance
        updated = output
        align()
        if holds { checkBlanks() }
        for difference in changes.flatMap(differences) where difference.difference.relative > largestRelative {
            largest = difference
        }
        if holds {
            for index in expected.indices where messages[index] != nil && Self.isPlaced(expected[index].raw) {
                updated[index] = printed[index].raw
            }
        } else {
            updated.replaceSubrange(expected.indices, with: printed.map(\.raw))
        }
    }

    /// Returns how many of the last expected lines are comments and blank lines between commands, which were not
    /// printed.
    private static func remarks(_ output: [String], _ lines: [Tape.Line]) -> Int {
        func tail(_ lines: some BidirectionalCollection<String>) -> Int {
            lines.reversed().prefix(while: Transcript.isRemark).count
        }
        return max(0, tail(output) - tail(lines.map(\.text)))
    }

    // MARK: Lines

    /// Finds the printed output lines among the expected ones, in order, by a longest common subsequence of the part
    /// between equal beginnings and ends.
    private mutating func align() {
        var first = 0
        while first < min(expected.count, printed.count), accept(first, first) { first += 1 }
        var ends = (expected: expected.count, printed: printed.count)
        while ends.expected > first, ends.printed > first, accept(ends.expected - 1, ends.printed - 1) {
            ends.expected -= 1
            ends.printed -= 1
        }
        let rows = first..<ends.expected
        let columns = first..<ends.printed
        guard !rows.isEmpty || !columns.isEmpty else { return }
        // Beyond this size the lines are shown as replaced, because the table would take too much time and memory.
        guard !rows.isEmpty, !columns.isEmpty, rows.count <= 1_000_000 / columns.count else {
            changes = [Change(expected: rows, printed: columns)]
            return
        }
        var lengths = [[Int32]](repeating: [Int32](repeating: 0, count: columns.count + 1), count: rows.count + 1)
        for row in rows.reversed() {
            for column in columns.reversed() {
                let (i, j) = (row - first, column - first)
                lengths[i][j] =
                    agree(row, column) ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
            }
        }
        var (row, column) = (first, first)
        var change = Change(expected: row..<row, printed: column..<column)
        func isEmpty(_ change: Change) -> Bool { change.expected.isEmpty && change.printed.isEmpty }
        while row < rows.upperBound || column < columns.upperBound {
            let (i, j) = (row - first, column - first)
            if row < rows.upperBound, column < columns.upperBound, accept(row, column) {
                if !isEmpty(change) { changes.append(change) }
                row += 1
                column += 1
                change = Change(expected: row..<row, printed: column..<column)
            } else if column == columns.upperBound
                || row < rows.upperBound && lengths[i + 1][j] >= lengths[i][j + 1]
            {
                row += 1
                change.expected = change.expected.lowerBound..<row
            } else {
                column += 1
                change.printed = change.printed.lowerBound..<column
            }
        }
        if !isEmpty(change) { changes.append(change) }
    }

    /// Returns whether the printed line `other` is the expected line `line`; if it is, counts its numbers.
    private mutating func accept(_ line: Int, _ other: Int) -> Bool {
        guard agree(line, other) else { return false }
        let (wanted, got) = sides(line, other)
        numbers += wanted.numbers
        if tolerance != .any, !wanted.isTimer, let difference = wanted.largestDifference(from: got),
            difference.relative > largestRelative
        {
            largest = (difference, line)
        }
        return true
    }

    private func agree(_ line: Int, _ other: Int) -> Bool {
        let (wanted, got) = sides(line, other)
        if wanted.raw == got.raw || wanted.isTimer && got.isTimer { return true }
        switch tolerance {
        case .relative(0): return false
        case .any: return wanted.hasTheText(of: got)
        case .relative(let share):
            return wanted.hasTheText(of: got) && wanted.largestDifference(from: got)?.relative ?? 0 <= share
        }
    }

    private func sides(_ line: Int, _ other: Int) -> (wanted: PrintedLine, got: PrintedLine) {
        guard let message = messages[other] else { return (expected[line], printed[other]) }
        return (Self.withoutPlace(expected[line]), message)
    }

    /// Checks that expected and printed lines have the same blanks, if all numbers are equal texts; otherwise blanks
    /// differ because the numbers have other widths.
    private mutating func checkBlanks() {
        let pairs = expected.indices.map { sides($0, $0) }
        guard pairs.allSatisfy({ $0.wanted.isTimer || $0.wanted.largestDifference(from: $0.got) == nil }) else {
            return
        }
        for (index, pair) in pairs.enumerated() where pair.wanted.raw != pair.got.raw && !pair.wanted.isTimer {
            changes.append(Change(expected: index..<index + 1, printed: index..<index + 1))
        }
    }

    private var largestRelative: Double { largest?.difference.relative ?? 0 }

    /// Returns the largest difference of numbers in each changed line that differs from the expected line in its
    /// numbers alone, with the line's index in `expected`.
    ///
    /// - Returns: an empty list if the change has more or fewer printed than expected lines, or if any number will do.
    package func differences(_ change: Change) -> [(difference: NumberDifference, line: Int)] {
        guard tolerance != .any, change.expected.count == change.printed.count else { return [] }
        return zip(change.expected, change.printed).compactMap { line, other in
            let (wanted, got) = sides(line, other)
            guard wanted.hasTheText(of: got), let difference = wanted.largestDifference(from: got) else { return nil }
            return (difference, line)
        }
    }

    // MARK: Errors

    /// Returns a printed line without `FILE:LINE: `, `nacre: ` or `error: ` at its front.
    private static func withoutPlace(_ line: PrintedLine) -> PrintedLine {
        guard let end = placeEnd(line.raw) else { return line }
        return PrintedLine(String(line.raw[end...]))
    }

    private static func placeEnd(_ line: String) -> String.Index? {
        var start = line.startIndex
        while let colon = line[start...].firstIndex(of: ":") {
            let after = line.index(after: colon)
            guard line[after...].hasPrefix(" ") else {
                start = after
                continue
            }
            let place = line[..<colon]
            let number = place.lastIndex(of: ":").map { place[place.index(after: $0)...] } ?? ""
            let isPlace = ["nacre", "error"].contains(place) || Int(number) != nil
            return isPlace ? line.index(after: after) : nil
        }
        return nil
    }

    /// Returns whether an output line begins with the place of an error as a replay writes it, `stdin:`.
    private static func isPlaced(_ line: String) -> Bool { line.hasPrefix("\(Transcript.origin):") }
}
