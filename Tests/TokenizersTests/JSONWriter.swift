import Tokenizers

/// Writes the values that tests change and read again.
enum JSONWriter {
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
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

extension JSONValue {
    /// The value with the one at `path` replaced, or taken out where `new` is nil. A path is keys and indices.
    func replacing(_ path: [String], by new: JSONValue?) -> JSONValue {
        guard let key = path.first else { return new ?? .null }
        let rest = Array(path.dropFirst())
        switch self {
        case .object(let object):
            var members = object.members
            let index = members.firstIndex { $0.key == key }
            if rest.isEmpty, new == nil {
                if let index { members.remove(at: index) }
            } else {
                let old = index.map { members[$0].value } ?? .object(JSONObject())
                let member = JSONObject.Member(key: key, value: old.replacing(rest, by: new))
                if let index { members[index] = member } else { members.append(member) }
            }
            return .object(JSONObject(members: members))
        case .array(var values):
            guard let index = Int(key), values.indices.contains(index) else { return self }
            if rest.isEmpty, new == nil {
                values.remove(at: index)
            } else {
                values[index] = values[index].replacing(rest, by: new)
            }
            return .array(values)
        default:
            return self
        }
    }
}
