import JSON

/// Writes the values that tests change and read again, without blanks and with all but ASCII escaped.
enum JSONWriter {
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): quote(value)
        case .array(let values): "[" + values.map(text).joined(separator: ",") + "]"
        case .object(let object):
            "{" + object.map { quote($0.key) + ":" + text($0.value) }.joined(separator: ",") + "}"
        }
    }

    private static func quote(_ text: String) -> String {
        var result = "\""
        for unit in text.utf16 {
            if (0x20..<0x7F).contains(unit), unit != 0x22, unit != 0x5C {
                result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            } else {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
