extension JSONValue {
    /// The value on one line, as files hold it; in strings only the characters that JSON requires are escaped.
    package var text: String { text(indented: false, quote: Self.quoted) }

    /// Returns the value on one line or, if indented, over several lines, with each array or object of plain values
    /// kept on one line. Characters that a terminal would act on are escaped as well.
    package func text(indented: Bool) -> String { text(indented: indented, quote: \.jsonQuoted) }

    private func text(indented: Bool, quote: (String) -> String) -> String {
        var text = ""
        write(to: &text, indentation: indented ? 0 : nil, quote)
        return text
    }

    /// Returns the numbers that are not finite, which are written as `null`: for each its JSON pointer (RFC 6901) below
    /// this value, and `NaN`, `Infinity` or `-Infinity`.
    package func nonfinite(at pointer: String = "") -> [(key: String, value: JSONValue)] {
        switch self {
        case .double(let number) where number.isNaN: [(pointer, .string("NaN"))]
        case .double(let number) where number.isInfinite: [(pointer, .string(number < 0 ? "-Infinity" : "Infinity"))]
        case .array(let elements):
            elements.enumerated().flatMap { $0.element.nonfinite(at: "\(pointer)/\($0.offset)") }
        case .object(let object):
            object.flatMap { $0.value.nonfinite(at: "\(pointer)/\(Self.pointerToken($0.key))") }
        default: []
        }
    }

    private static func pointerToken(_ key: String) -> String {
        key.unicodeScalars.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    private var isPlain: Bool {
        switch self {
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        default: true
        }
    }

    private func write(to text: inout String, indentation: Int?, _ quote: (String) -> String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += String(value)
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): text += quote(value)
        case .array(let elements):
            Self.write(elements.map { (nil, $0) }, "[", "]", to: &text, indentation: indentation, quote)
        case .object(let object):
            Self.write(object.map { ($0.key, $0.value) }, "{", "}", to: &text, indentation: indentation, quote)
        }
    }

    private static func write(
        _ members: [(key: String?, value: JSONValue)], _ open: String, _ close: String, to text: inout String,
        indentation: Int?, _ quote: (String) -> String
    ) {
        let inner = members.allSatisfy(\.value.isPlain) ? nil : indentation.map { $0 + 2 }
        text += open
        for (index, member) in members.enumerated() {
            if index > 0 { text += inner == nil ? ", " : "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            if let key = member.key {
                text += quote(key)
                text += ": "
            }
            member.value.write(to: &text, indentation: inner, quote)
        }
        if inner != nil, let indentation { text += "\n" + String(repeating: " ", count: indentation) }
        text += close
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
