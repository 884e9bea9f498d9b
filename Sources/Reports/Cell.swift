package import Statistics
internal import TerminalText

/// One value of a report.
package enum Cell: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case number(Double)
    /// A value with the ends of its interval. The column or the report says which interval it is.
    case interval(value: Double, low: Double, high: Double)
    /// The place of a value that was not measured.
    case missing

    /// The cell as a number. It is nil for a text and for a missing value.
    package var value: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        case .interval(let value, _, _): value
        case .text, .missing: nil
        }
    }

    /// Makes a cell of a number. The cell is missing if the number is nil.
    package init(_ number: Double?) {
        self = number.map(Cell.number) ?? .missing
    }

    /// Makes a cell of a share with Wilson's 95 % interval. The cell is missing if there were no trials.
    package init(_ proportion: Proportion) {
        guard let value = proportion.value, let interval = proportion.wilsonInterval() else {
            self = .missing
            return
        }
        self = .interval(value: value, low: interval.lowerBound, high: interval.upperBound)
    }

    /// Returns the cell as text for people: with `digits` significant digits, an interval as `1.23 [1.1, 1.4]`, and `-`
    /// for a missing value. Text cells are escaped for a terminal.
    package func formatted(digits: Int = NumberFormat.defaultDigits) -> String {
        switch self {
        case .text(let text): text.escapedForTerminal
        case .integer(let integer): String(integer)
        case .number(let number): NumberFormat.significant(number, digits: digits)
        case .interval(let value, let low, let high):
            NumberFormat.interval(value: value, low: low, high: high, digits: digits)
        case .missing: "-"
        }
    }

    var isText: Bool {
        if case .text = self { true } else { false }
    }

    var isInterval: Bool {
        if case .interval = self { true } else { false }
    }
}

extension Cell: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(nilLiteral: ()) { self = .missing }
}
