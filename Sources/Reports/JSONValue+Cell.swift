internal import JSON

extension JSONValue {
    /// Makes the JSON value of a cell. Of an interval it is the value without the ends.
    init(_ cell: Cell) {
        switch cell {
        case .text(let text): self = .string(text)
        case .integer(let integer): self = .integer(integer)
        case .number(let number), .interval(let number, _, _): self = .double(number)
        case .missing: self = .null
        }
    }

    init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
}
