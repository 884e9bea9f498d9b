import JSON

/// A value inside a file, with the path to it for error messages.
struct JSONField: Sendable {
    let file: String
    /// Such as `model.vocab`.
    let path: String
    let value: JSONValue

    /// The value of a whole file.
    static func parsed(_ json: [UInt8], file: String) throws(TokenizerError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: json, file: file)
        } catch {
            throw .malformed(error)
        }
    }

    func invalid(_ reason: String) -> TokenizerError {
        .invalid(file: file, component: path, reason: reason)
    }

    func unsupported(_ reason: String) -> TokenizerError {
        .unsupported(file: file, component: path, reason: reason)
    }

    /// The member `key`; nil where it is missing or null.
    func optional(_ key: String) throws(TokenizerError) -> JSONField? {
        guard let member = try object()[key], !member.isNull else { return nil }
        return JSONField(file: file, path: path.isEmpty ? key : "\(path).\(key)", value: member)
    }

    func required(_ key: String) throws(TokenizerError) -> JSONField {
        guard let member = try optional(key) else {
            throw path.isEmpty
                ? .invalid(file: file, component: key, reason: "missing")
                : invalid("the field \(key.quoted) is missing")
        }
        return member
    }

    /// Refuses an object with members other than `known`: what they ask for would be left out.
    func checkKeys(_ known: String...) throws(TokenizerError) {
        for key in try object().keys where !known.contains(where: { $0.hasSameBytes(as: key) }) {
            throw unsupported(
                "the option \(key.quoted); \(known.joined(separator: ", ")) are implemented")
        }
    }

    /// The single character `self`.
    func scalar() throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw invalid("expected one character") }
        return scalar
    }

    /// The boolean `key`, or `value` where it is missing.
    func bool(_ key: String, default value: Bool) throws(TokenizerError) -> Bool {
        guard let member = try optional(key) else { return value }
        return try member.bool()
    }

    func object() throws(TokenizerError) -> JSONObject {
        guard let object = value.object else { throw mismatch("an object") }
        return object
    }

    func string() throws(TokenizerError) -> String {
        guard let string = value.string else { throw mismatch("a string") }
        return string
    }

    func bool() throws(TokenizerError) -> Bool {
        guard let bool = value.bool else { throw mismatch("a boolean") }
        return bool
    }

    /// A token id, from 0 up to the limit on ids.
    func tokenID() throws(TokenizerError) -> Int32 {
        guard let int = value.int else { throw mismatch("an id, an integer") }
        guard (0..<Vocabulary.idLimit).contains(int) else {
            throw invalid("the id \(int) is outside 0..<\(Vocabulary.idLimit)")
        }
        return Int32(int)
    }

    /// A number of things, from 0 up.
    func count() throws(TokenizerError) -> Int {
        guard let int = value.int else { throw mismatch("an integer") }
        guard int >= 0 else { throw invalid("expected an integer from 0 up, found \(int)") }
        return int
    }

    func elements() throws(TokenizerError) -> [JSONField] {
        guard let array = value.array else { throw mismatch("an array") }
        return array.enumerated().map { JSONField(file: file, path: "\(path)[\($0.offset)]", value: $0.element) }
    }

    func mismatch(_ expected: String) -> TokenizerError {
        invalid("expected \(expected), found \(value.kind)")
    }
}
