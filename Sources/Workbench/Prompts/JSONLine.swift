import JSON

/// One line of a .jsonl file: an object, whose fields readers ask for by name.
package struct JSONLine {
    /// What a line has in a field.
    package enum Field: Equatable {
        case missing, null
        case text(String)
        /// A number or a truth value, as the line has it: with all its digits. `kind` says in a phrase what it is.
        case scalar(String, kind: String)
        /// A list or an object; `kind` says which.
        case composite(kind: String)
    }

    /// The line's place in words, such as `p.jsonl, line 3`.
    package let place: String
    let json: JSONValue
    private let bytes: [UInt8]

    /// - Parameters:
    ///   - number: the number of the line in its file, from 1.
    ///   - file: the name of the file in errors.
    /// - Throws: `JSONError`.
    package init(_ line: Substring, number: Int, file: String) throws {
        place = "\(file), line \(number)"
        bytes = Array(line.utf8)
        json = try JSONValue(parsing: bytes, file: place)
    }

    /// The names of the line's fields; nil if the line is not an object.
    package var fields: [String]? { json.object?.keys }

    package subscript(field: String) -> Field {
        guard let value = json[field] else { return .missing }
        switch value {
        case .null: return .null
        case .string(let text): return .text(text)
        case .array, .object: return .composite(kind: value.kind)
        case .bool, .integer, .unsigned, .double:
            return .scalar(JSONValue.source(ofMember: field, in: bytes) ?? value.text, kind: value.kind)
        }
    }
}
