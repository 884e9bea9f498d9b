package import Statistics
internal import TerminalText

/// One value of a report.
package enum Cell: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case number(Double)
    /// A value with the ends of its interval; which interval is the column's or the report's to say.
    case interval(value: Double, low: Double, high: Double)
    /// No value was measured.
    case missing

    /// The cell as a number; nil for text and missing.
    package var value: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        case .interval(let value, _, _): value
        case .text, .missing: nil
        }
    }

    /// A number, or missing if there is none.
    package init(_ number: Double?) {
        self = number.map(Cell.number) ?? .missing
    }

    /// A share with Wilson's 95 % interval, or missing if nothing was tried.
    package init(_ proportion: Proportion) {
        guard let value = proportion.value, let interval = proportion.wilsonInterval() else {
            self = .missing
            return
        }
        self = .interval(value: value, low: interval.lowerBound, high: interval.upperBound)
    }

    /// Text for people: `digits` significant digits, intervals as `1.23 [1.1, 1.4]`, `-` for missing.
    /// Text cells are escaped for a terminal.
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
