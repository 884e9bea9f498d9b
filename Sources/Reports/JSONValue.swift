internal import TerminalText

/// JSON text of a tree of values, with numbers at full precision.
///
/// JSON has no NaN or infinity: they are written as `null`, and where they stood is collected, so that none is
/// taken for a missing value.
indirect enum JSONValue {
    case null
    case string(String)
    case integer(Int)
    case unsigned(UInt64)
    case number(Double)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    init(_ cell: Cell) {
        switch cell {
        case .text(let text): self = .string(text)
        case .integer(let integer): self = .integer(integer)
        case .number(let number), .interval(let number, _, _): self = .number(number)
        case .missing: self = .null
        }
    }

    init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }

    /// Compact on one line, or over several lines with objects of plain values kept on one.
    func text(indented: Bool) -> String {
        var text = ""
        write(to: &text, indentation: indented ? 0 : nil)
        return text
    }

    /// Numbers that are not finite: their JSON pointer (RFC 6901) below this value, and `NaN`, `Infinity` or
    /// `-Infinity`.
    func nonfinite(at pointer: String = "") -> [(key: String, value: JSONValue)] {
        switch self {
        case .number(let number) where number.isNaN: [(pointer, .string("NaN"))]
        case .number(let number) where number.isInfinite: [(pointer, .string(number < 0 ? "-Infinity" : "Infinity"))]
        case .array(let elements):
            elements.enumerated().flatMap { $0.element.nonfinite(at: "\(pointer)/\($0.offset)") }
        case .object(let members):
            members.flatMap { $0.value.nonfinite(at: "\(pointer)/\(Self.pointerToken($0.key))") }
        default: []
        }
    }

    private static func pointerToken(_ key: String) -> String {
        key.unicodeScalars.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    private var isPlain: Bool {
        switch self {
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: true
        }
    }

    private func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .string(let string): text += string.jsonQuoted
        case .integer(let integer): text += String(integer)
        case .unsigned(let integer): text += String(integer)
        case .number(let number): text += number.isFinite ? number.description : "null"
        case .array(let elements):
            Self.write(elements.map { (nil, $0) }, "[", "]", to: &text, indentation: indentation)
        case .object(let members):
            Self.write(members.map { ($0.key, $0.value) }, "{", "}", to: &text, indentation: indentation)
        }
    }

    private static func write(
        _ members: [(key: String?, value: JSONValue)], _ open: String, _ close: String, to text: inout String,
        indentation: Int?
    ) {
        let inner = members.allSatisfy(\.value.isPlain) ? nil : indentation.map { $0 + 2 }
        text += open
        for (index, member) in members.enumerated() {
            if index > 0 { text += inner == nil ? ", " : "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            if let key = member.key {
                text += key.jsonQuoted
                text += ": "
            }
            member.value.write(to: &text, indentation: inner)
        }
        if inner != nil, let indentation { text += "\n" + String(repeating: " ", count: indentation) }
        text += close
    }
}
