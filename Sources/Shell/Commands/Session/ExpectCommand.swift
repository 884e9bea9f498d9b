package import ArgumentParser
import Language
import Reports
import TerminalText
import Workbench

package struct ExpectCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "expect", abstract: "Check a value of a report; a script stops where it does not hold.",
        discussion: """
            Compares two numbers or texts: < <= > >= == != and A ~ B within 0.01 (or within 1%, of B); several comparisons are
            joined with and. If one does not hold, both values are shown and the exit code is 3, so that a script is a test.
            Numbers are compared at full precision. NaN, and a value that was not measured, never hold.

            A value is NAME.SCALAR, with .low and .high for the ends of its interval and .null for what the same estimator says
            of noise; or NAME.TABLE[row,column], NAME[row,column] if the report has one table. Rows are numbers from 0,
            from the end if negative, or the text in the first column; columns are called by their titles. Blanks and signs in
            names may be written as _, or in quotes: it.'new tokens'. it is the last report, and NAME.value its first number.
            Texts stand in quotes.
            """)
    package static let traits = CommandTraits(
        .session, kinds: ["expression": .reportValue],
        examples: [
            "next \"The capital of France is\" --top 5", "expect it.entropy < 6 and it[0,probability] <= 1",
            "words = loss \"Paris is the capital of France.\"",
            "expect words.uniform_guess == words.loss.null and words[-1,token] == \".\"",
            "expect words.loss ~ 6 within 100%",
        ])

    @Argument(help: "OPERAND COMPARISON OPERAND, and more of them after and.") var expression: [String]

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let shown = try Condition(expression).comparisons.map { try $0.check(in: session) }
        return .message(Report(text: "holds: " + shown.joined(separator: " and ")))
    }
}

extension Condition.Comparison {
    /// Checks the comparison.
    ///
    /// - Returns: The comparison with the values that were compared, for a comparison that holds.
    /// - Throws: `CommandError`, with exit code 3 if the comparison does not hold and 2 if the values can't be
    ///   compared. An error if a path leads to no value.
    func check(in session: Session) throws -> String {
        let cells = try [left, right].map { try $0.cell(in: session) }
        let paths = [left, right].map { operand in if case .path(let path) = operand { path } else { nil as String? } }
        for (path, cell) in zip(paths, cells) {
            let subject = path.map { "\($0.escapedForTerminal) is" } ?? "there is"
            if case .missing = cell { throw failure("\(subject) a value that was not measured") }
            if cell.value?.isNaN == true { throw failure("\(subject) NaN, and nothing compares with NaN") }
        }
        var texts = Self.shown(cells[0], cells[1])
        let holds: Bool
        switch (cells[0], cells[1]) {
        case (.text(let a), .text(let b)):
            switch relation {
            case .equal: holds = a == b
            case .unequal: holds = a != b
            default:
                throw CommandError(
                    "\(relation.rawValue) compares numbers, and \(texts[0]) is a text", remedy: "use == or !=",
                    exitCode: 2)
            }
        default:
            guard let a = cells[0].value, let b = cells[1].value else {
                let text = cells[0].value == nil ? 0 : 1
                throw CommandError(
                    "\(paths[text].map { "\($0.escapedForTerminal) is the text " } ?? "")\(texts[text])"
                        + " can't be compared with the number \(texts[1 - text])",
                    remedy: paths[text] == nil ? "leave out the quotes" : "put the other side into quotes", exitCode: 2)
            }
            holds = holdsFor(a, b)
            if texts[0] == texts[1], a != b, !(holds && relation == .near) {
                // Two values that differ may look the same in four digits, so that they are shown at full precision.
                texts = Self.shown(cells[0], cells[1], digits: NumberFormat.fullPrecision)
            }
        }
        if holds { return ([texts[0], relation.rawValue, texts[1]] + distance).joined(separator: " ") }
        let values = zip(paths, texts).compactMap { path, text in path.map { "\($0.escapedForTerminal) is \(text)" } }
        throw failure(values.joined(separator: ", "))
    }

    private func holdsFor(_ a: Double, _ b: Double) -> Bool {
        switch relation {
        case .less: a < b
        case .atMost: a <= b
        case .more: a > b
        case .atLeast: a >= b
        case .equal: a == b
        case .unequal: a != b
        case .near:
            switch within {
            case .absolute(let distance)?: a == b || (a - b).magnitude <= distance
            case .relative(let share)?: a == b || (a - b).magnitude <= share * b.magnitude
            case nil: a == b
            }
        }
    }

    private var distance: [String] {
        switch within {
        case .absolute(let distance)?: ["within", NumberFormat.significant(distance)]
        case .relative(let share)?: ["within", NumberFormat.significant(share * 100) + "%"]
        case nil: []
        }
    }

    private func failure(_ values: String) -> CommandError {
        CommandError(
            "\(text.escapedForTerminal) does not hold" + (values.isEmpty ? "" : ": \(values)"), exitCode: 3)
    }

    private static func shown(_ a: Cell, _ b: Cell, digits: Int = NumberFormat.defaultDigits) -> [String] {
        [a, b].map { cell in
            switch cell {
            case .text(let text): "\"\(text.escapedForTerminal)\""
            case .interval(let value, _, _): NumberFormat.significant(value, digits: digits)
            default: cell.formatted(digits: digits)
            }
        }
    }
}

extension Condition.Operand {
    fileprivate func cell(in session: Session) throws -> Cell {
        switch self {
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        case .path(let path): try session.cell(at: path)
        }
    }
}
