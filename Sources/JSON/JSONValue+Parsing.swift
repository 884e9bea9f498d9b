extension JSONValue {
    /// The depth to which arrays and objects may be nested.
    package static let maximumDepth = 64

    /// Parses a whole JSON text.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 without a byte order mark.
    ///   - file: the name of the text in errors.
    /// - Throws: `JSONError` with the line and column of the first byte that is wrong.
    package init(parsing bytes: [UInt8], file: String) throws(JSONError) {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONParser.Failure> in
            var parser = JSONParser(bytes: buffer)
            do throws(JSONParser.Failure) {
                return .success(try parser.parseText())
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let value):
            self = value
        case .failure(let failure):
            let before = bytes[..<min(failure.offset, bytes.count)]
            let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            throw JSONError(
                file: file, line: line, column: before.count - lineStart + 1, reason: failure.reason)
        }
    }

    /// Returns the value of an object's member as the text has it. A number has all its digits there, of which the parsed
    /// value keeps fewer if they are many.
    ///
    /// - Parameter bytes: the JSON text of the object.
    /// - Returns: the text of the last member with that key; nil if there is none, or the text is no JSON object.
    package static func source(ofMember key: String, in bytes: [UInt8]) -> String? {
        bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer)
            guard let members = try? parser.memberPlaces() else { return nil }
            let place = members.last { $0.key.hasSameBytes(as: key) }?.place
            return place.map { String(decoding: buffer[$0], as: UTF8.self) }
        }
    }
}

/// A recursive-descent parser over the bytes of a JSON text.
private struct JSONParser {
    struct Failure: Error {
        let offset: Int
        let reason: String
    }

    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    /// A buffer in which a string that has escapes is put together.
    var scratch: [UInt8] = []

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func parseText() throws(Failure) -> JSONValue {
        // UTF-8 is checked once for the whole text; checking every string is slower than parsing them.
        if let offset = UTF8Validation.firstInvalidByte(of: bytes) {
            throw failure("a byte that is not UTF-8", at: offset)
        }
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end of the value") }
        return value
    }

    /// Returns the members of the object that the text is, each with the place of its value.
    mutating func memberPlaces() throws(Failure) -> [(key: String, place: Range<Int>)] {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "{") else { throw failure("expected an object") }
        var places: [(key: String, place: Range<Int>)] = []
        _ = try parseObject(depth: 1) { places.append((key: $0, place: $1)) }
        return places
    }

    private func failure(_ reason: String, at offset: Int? = nil) -> Failure {
        Failure(offset: offset ?? position, reason: reason)
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    private mutating func parseValue(depth: Int) throws(Failure) -> JSONValue {
        skipSpace()
        guard position < bytes.count else { throw failure("the text ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            return .string(try parseString())
        case UInt8(ascii: "{"):
            guard depth < JSONValue.maximumDepth else { throw tooDeep() }
            return .object(try parseObject(depth: depth + 1))
        case UInt8(ascii: "["):
            guard depth < JSONValue.maximumDepth else { throw tooDeep() }
            return .array(try parseArray(depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try parseNumber()
        case UInt8(ascii: "t"):
            try expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expect("null")
            return .null
        default:
            throw failure("expected a value")
        }
    }

    private func tooDeep() -> Failure {
        failure("nested deeper than \(JSONValue.maximumDepth) levels")
    }

    private mutating func expect(_ word: StaticString) throws(Failure) {
        let matches = word.withUTF8Buffer { text in
            bytes.count - position >= text.count
                && text.indices.allSatisfy { bytes[position + $0] == text[$0] }
        }
        guard matches else { throw failure("expected a value") }
        position += word.utf8CodeUnitCount
    }

    /// - Parameter visit: is called with the key of each member and the place of its value.
    private mutating func parseObject(
        depth: Int, visit: ((String, Range<Int>) -> Void)? = nil
    ) throws(Failure) -> JSONObject {
        var members: [JSONObject.Member] = []
        position += 1
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw failure("expected a key in quotes")
            }
            let key = try parseString()
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
                throw failure("expected ':' after a key")
            }
            position += 1
            skipSpace()
            let start = position
            members.append(JSONObject.Member(key: key, value: try parseValue(depth: depth)))
            visit?(key, start..<position)
            if try closes(UInt8(ascii: "}"), "expected ',' or '}'") {
                return JSONObject(members: members)
            }
        }
    }

    private mutating func parseArray(depth: Int) throws(Failure) -> [JSONValue] {
        var elements: [JSONValue] = []
        position += 1
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try parseValue(depth: depth))
            if try closes(UInt8(ascii: "]"), "expected ',' or ']'") {
                return elements
            }
        }
    }

    /// Reads a comma and returns false, or the closing bracket and returns true.
    private mutating func closes(_ bracket: UInt8, _ reason: String) throws(Failure) -> Bool {
        skipSpace()
        guard position < bytes.count else { throw failure(reason) }
        let byte = bytes[position]
        guard byte == bracket || byte == UInt8(ascii: ",") else { throw failure(reason) }
        position += 1
        return byte == bracket
    }
}

// MARK: Strings and numbers

extension JSONParser {
    private mutating func parseString() throws(Failure) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") {
                return try parseEscapedString(from: start)
            }
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            position += 1
        }
        throw failure("a string without its closing quote", at: start - 1)
    }

    /// Parses the rest of a string whose bytes from `start` to here need no change.
    private mutating func parseEscapedString(from start: Int) throws(Failure) -> String {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            }
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                try parseEscape()
            } else {
                scratch.append(byte)
                position += 1
            }
        }
        throw failure("a string without its closing quote", at: start - 1)
    }

    private mutating func parseEscape() throws(Failure) {
        let start = position
        guard position + 1 < bytes.count else { throw failure("a string without its closing quote") }
        let letter = bytes[position + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            var value = try parseHex(escapeAt: start)
            if value & 0xFC00 == 0xD800, position + 1 < bytes.count,
                bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try parseHex(escapeAt: start)
                guard low & 0xFC00 == 0xDC00 else { throw failure("half of a surrogate pair", at: start) }
                value = 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair", at: start) }
            scratch.append(contentsOf: UTF8.encode(scalar)!)
        default:
            throw failure("an unknown escape", at: start)
        }
    }

    private mutating func parseHex(escapeAt start: Int) throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("\\u needs four hexadecimal digits", at: start) }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw failure("\\u needs four hexadecimal digits", at: start)
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    private mutating func parseNumber() throws(Failure) -> JSONValue {
        let start = position
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        let integerStart = position
        var value = 0
        var overflow = false
        skipDigits { digit in
            let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooBigToo) = product.addingReportingOverflow(negative ? -digit : digit)
            overflow = overflow || tooBig || tooBigToo
            value = sum
        }
        guard position > integerStart else { throw failure("a number without digits", at: start) }
        guard bytes[integerStart] != UInt8(ascii: "0") || position == integerStart + 1 else {
            throw failure("a number with a leading zero", at: start)
        }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw failure("a number without digits after its point", at: start) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard skipDigits() > 0 else { throw failure("a number without digits in its exponent", at: start) }
        }
        if isInteger, !overflow {
            // Only a double has a zero with a sign.
            return negative && value == 0 ? .double(-0.0) : .integer(value)
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let double = Double(text), double.isFinite else { throw failure("a number out of range", at: start) }
        return .double(double)
    }

    /// Moves past decimal digits and returns how many there were.
    @discardableResult
    private mutating func skipDigits(_ visit: (Int) -> Void = { _ in }) -> Int {
        let start = position
        while position < bytes.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[position] {
            visit(Int(bytes[position] & 0x0F))
            position += 1
        }
        return position - start
    }
}
