/// A JSON value (RFC 8259) whose objects keep the order of their keys.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number that is written without a fraction or an exponent and fits 64 bits with a sign.
    case integer(Int)
    /// An integer from 2^63 to 2^64 - 1, for writing only; the parser makes a double of it.
    case unsigned(UInt64)
    /// Any other number. One that is not finite is written as `null`, since JSON has none.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, if it was written as an integer and fits in an `Int`; otherwise nil. `3.0` and `-0` are not
    /// integers here.
    package var int: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number, integer or not.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of an object; nil if there is no such key or this is not an object.
    package subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// The element of an array; nil outside its bounds or if this is not an array.
    package subscript(index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// Returns an object with the members in the order of the list.
    package static func members(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
        .object(JSONObject(members: members.map { JSONObject.Member(key: $0.key, value: $0.value) }))
    }

    /// A phrase for the kind of the value, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .unsigned: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of a JSON object, in the order of the text.
///
/// Keys are compared byte by byte: `String`'s own equality is canonical equivalence, under which two different tokens
/// of a vocabulary may be equal.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package let key: String
        package let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package var members: [Member]

    package init(members: [Member] = []) {
        self.members = members
    }

    /// The value of `key`; the last one if the text has the key more than once. The time is linear in the number of
    /// members.
    package subscript(key: String) -> JSONValue? {
        members.last { $0.key.hasSameBytes(as: key) }?.value
    }

    package var keys: [String] {
        members.map(\.key)
    }

    /// The keys that the text repeats, once for each repetition, in order.
    package var duplicateKeys: [String] {
        if members.count <= 8 {
            // No set is made for the few keys of a tensor, of which there are many.
            return members.indices.compactMap { index in
                let key = members[index].key
                return members[..<index].contains { $0.key.hasSameBytes(as: key) } ? key : nil
            }
        }
        // Keys that differ as texts differ in their bytes, and texts are hashed several times faster.
        if Set(members.lazy.map(\.key)).count == members.count { return [] }
        var seen = Set<[UInt8]>()
        return members.compactMap { seen.insert(Array($0.key.utf8)).inserted ? nil : $0.key }
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { members.startIndex }
    package var endIndex: Int { members.endIndex }
    package subscript(position: Int) -> Member { members[position] }
}

extension String {
    /// Returns whether two texts are equal byte by byte, and not just canonically equivalent.
    package func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
