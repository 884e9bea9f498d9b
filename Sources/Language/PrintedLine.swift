/// A printed line, divided into text and numbers, so that numbers may differ a little, and with their widths the blanks
/// around them.
package struct PrintedLine: Equatable {
    package enum Token: Equatable {
        case text(String)
        case number(text: String, value: Double)
        case blanks
        /// The rule (line of dashes) under a table's header, with its number of columns.
        case rule(Int)
    }

    package let raw: String
    package let tokens: [Token]

    package init(_ raw: String) {
        self.raw = raw
        tokens = Self.tokens(Array(raw.utf8))
    }

    package static func == (a: PrintedLine, b: PrintedLine) -> Bool { a.raw == b.raw }

    /// The number of numbers that the printed line contains.
    package var numbers: Int {
        tokens.count { if case .number = $0 { true } else { false } }
    }

    /// Whether the printed line is one of `timer on`: times, or the speed at which tokens were made.
    package var isTimer: Bool {
        raw.hasPrefix("wall ") && raw.contains(" s, cpu ") && raw.contains(", peak memory ")
            || raw.hasSuffix(" tokens/s") && Double(raw.dropLast(9)) != nil
    }

    /// Returns whether two printed lines are the same but for their numbers.
    package func hasTheText(of other: PrintedLine) -> Bool {
        tokens.count == other.tokens.count
            && zip(tokens, other.tokens).allSatisfy { a, b in
                if case .number = a, case .number = b { true } else { a == b }
            }
    }

    /// Returns the pair of numbers that differs most, of two lines that have the same text; nil if none differs.
    package func largestDifference(from other: PrintedLine) -> NumberDifference? {
        var largest: NumberDifference?
        for case (.number(let a, let x), .number(let b, let y)) in zip(tokens, other.tokens) where a != b {
            let difference = NumberDifference(expected: a, printed: b, relative: Self.relative(x, y))
            if difference.relative > largest?.relative ?? -1 { largest = difference }
        }
        return largest
    }

    /// Returns the difference between two numbers as a share of the larger of their magnitudes.
    private static func relative(_ a: Double, _ b: Double) -> Double {
        if a == b { return 0 }
        let larger = max(a.magnitude, b.magnitude)
        guard larger.isFinite else { return .infinity }
        let difference = (a - b).magnitude
        return difference.isFinite ? difference / larger : (a / larger - b / larger).magnitude
    }

    // MARK: Reading

    private static func tokens(_ bytes: [UInt8]) -> [Token] {
        if let columns = ruleColumns(bytes) { return [.rule(columns)] }
        var tokens: [Token] = []
        var text: [UInt8] = []
        func flush() {
            if !text.isEmpty { tokens.append(.text(String(decoding: text, as: UTF8.self))) }
            text = []
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == blank {
                flush()
                while index < bytes.count, bytes[index] == blank { index += 1 }
                // Blanks at either end are only padding.
                if !tokens.isEmpty, index < bytes.count { tokens.append(.blanks) }
            } else if byte == UInt8(ascii: "\""), let close = bytes[(index + 1)...].firstIndex(of: byte) {
                // Digits within quotes are text.
                text += bytes[index...close]
                index = close + 1
            } else if let end = numberEnd(bytes, at: index),
                let value = Double(String(decoding: bytes[index..<end], as: UTF8.self))
            {
                flush()
                tokens.append(.number(text: String(decoding: bytes[index..<end], as: UTF8.self), value: value))
                index = end
            } else {
                // This is the rest of a word, within which a digit does not begin a number.
                let start = index
                while index < bytes.count, isWord(bytes[index]) || isPoint(bytes, index) { index += 1 }
                if index == start { index += 1 }
                text += bytes[start..<index]
            }
        }
        flush()
        return tokens
    }

    private static let blank = UInt8(ascii: " ")

    private static func ruleColumns(_ bytes: [UInt8]) -> Int? {
        let columns = bytes.split(separator: blank)
        let dash = UInt8(ascii: "-")
        guard columns.contains(where: { $0.count > 1 }) else { return nil }
        return columns.allSatisfy { $0.allSatisfy { $0 == dash } } ? columns.count : nil
    }

    /// Returns the index after the number that begins at `index`: `-1`, `0.25`, `1.5e-07`; nil if none begins there, as
    /// in `0x1f`, `12kB` and `1.2.3`.
    private static func numberEnd(_ bytes: [UInt8], at index: Int) -> Int? {
        func digits(_ from: Int) -> Int {
            var end = from
            while end < bytes.count, isDigit(bytes[end]) { end += 1 }
            return end
        }
        var start = index
        if bytes[start] == UInt8(ascii: "-") {
            // A dash within a word or a range is not a sign.
            if index > 0, isWord(bytes[index - 1]) || bytes[index - 1] == UInt8(ascii: ".") { return nil }
            start += 1
        }
        var end = digits(start)
        guard end > start else { return nil }
        if isPoint(bytes, end) { end = digits(end + 1) }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            var exponent = end + 1
            if exponent < bytes.count, [UInt8(ascii: "-"), UInt8(ascii: "+")].contains(bytes[exponent]) {
                exponent += 1
            }
            let exponentEnd = digits(exponent)
            if exponentEnd > exponent { end = exponentEnd }
        }
        if end < bytes.count, isWord(bytes[end]) || isPoint(bytes, end) { return nil }
        return end
    }

    /// Returns whether a point `.` stands at an index of the line, with a letter or a digit after it.
    private static func isPoint(_ bytes: [UInt8], _ index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: ".") && isWord(bytes[index + 1])
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

/// The difference between an expected and a printed number in the same place of two lines.
package struct NumberDifference: Equatable {
    package let expected: String
    package let printed: String
    /// The difference between the two numbers as a share of the larger of their magnitudes.
    package let relative: Double
}
