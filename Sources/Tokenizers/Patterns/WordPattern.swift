import JSON

/// The regular expressions that cut text into words, each written out as a scanner.
///
/// A general engine would be slower and would bring its own Unicode tables. Every pattern matches any
/// text from end to end, so a word ends where the next one begins.
enum WordPattern: Sendable, Equatable {
    /// GPT-2's, which the ByteLevel pre-tokenizer has built in.
    case gpt2
    /// Llama 3's (numbers in groups of three) and Qwen 2's (one by one), which differ in nothing else.
    case llama3(digits: Int)
    /// Mistral's tekken (numbers one by one) and GPT-4o's (in groups of three, contractions with the word before).
    case cased(digits: Int, contractions: Bool)

    private static let known: [(pattern: String, WordPattern)] = [
        (#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#, .gpt2),
        (
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
                + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            .llama3(digits: 3)
        ),
        (
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
                + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            .llama3(digits: 1)
        ),
        (casedPattern(digits: #"\p{N}"#, contractions: ""), .cased(digits: 1, contractions: false)),
        (
            casedPattern(digits: #"\p{N}{1,3}"#, contractions: "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"),
            .cased(digits: 3, contractions: true)
        ),
    ]

    private static func casedPattern(digits: String, contractions: String) -> String {
        let start = #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
        let rest = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
        return "\(start)*\(rest)+\(contractions)|\(start)+\(rest)*\(contractions)|\(digits)"
            + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The scanner for exactly this regular expression, nil where there is none.
    init?(pattern: String) {
        guard let found = Self.known.first(where: { $0.pattern.hasSameBytes(as: pattern) }) else { return nil }
        self = found.1
    }

    /// Where the word that starts at `start` ends; `start` is before the end of `text`.
    @inline(__always)
    func endOfWord(in text: UTF8Text, from start: Int) -> Int {
        switch self {
        case .gpt2: Self.endOfGPT2Word(in: text, from: start)
        case .llama3(let digits): Self.endOfLlama3Word(in: text, from: start, digits: digits)
        case .cased(let digits, let contractions):
            Self.endOfCasedWord(in: text, from: start, digits: digits, contractions: contractions)
        }
    }

    private static func endOfGPT2Word(in text: UTF8Text, from start: Int) -> Int {
        let first = text.bytes[start]
        if first == UInt8(ascii: "'"), let end = endOfContraction(in: text, after: start + 1) { return end }
        // Of all spaces, only U+0020 may lead a word.
        let body = first == UInt8(ascii: " ") && start + 1 < text.end ? start + 1 : start
        let (value, width) = text.scalarClass(at: body)
        if value.contains(.letter) { return text.endOfRun(of: .letter, from: body + width) }
        if value.contains(.number) { return text.endOfRun(of: .number, from: body + width) }
        if !value.contains(.space) {
            return text.endOfRun(outside: [.space, .letter, .number], from: body + width)
        }
        return endOfSpace(in: text, from: start, newlinesFirst: false)
    }

    private static func endOfLlama3Word(in text: UTF8Text, from start: Int, digits: Int) -> Int {
        let first = text.bytes[start]
        if first == UInt8(ascii: "'"), let end = endOfFoldedContraction(in: text, after: start + 1) { return end }
        let (value, width) = text.scalarClass(at: start)
        if value.contains(.letter) { return text.endOfRun(of: .letter, from: start + width) }
        if value.contains(.number) { return text.endOfRun(of: .number, from: start, atMost: digits) }
        let next = start + width
        let nextClass = next < text.end ? text.scalarClass(at: next).value : []
        if !isNewline(first), nextClass.contains(.letter) {
            return text.endOfRun(of: .letter, from: next)
        }
        if !value.contains(.space) {
            return endOfPunctuation(in: text, from: next)
        }
        if first == UInt8(ascii: " "), next < text.end, nextClass.isDisjoint(with: [.space, .letter, .number]) {
            return endOfPunctuation(in: text, from: next)
        }
        return endOfSpace(in: text, from: start, newlinesFirst: true)
    }

    static func endOfPunctuation(in text: UTF8Text, from start: Int, slashes: Bool = false) -> Int {
        var position = text.endOfRun(outside: [.space, .letter, .number], from: start)
        while position < text.end,
            isNewline(text.bytes[position]) || slashes && text.bytes[position] == UInt8(ascii: "/")
        {
            position += 1
        }
        return position
    }

    /// `\s+(?!\S)|\s+`: all of a run of spaces at the end of the text, otherwise all but the last, which
    /// may lead the next word. Before that, where `newlinesFirst`, `\s*[\r\n]+`: up to the last newline.
    static func endOfSpace(in text: UTF8Text, from start: Int, newlinesFirst: Bool) -> Int {
        var position = start
        var last = start
        var afterNewline = start
        while position < text.end {
            let (value, width) = text.scalarClass(at: position)
            guard value.contains(.space) else { break }
            last = position
            position += width
            if isNewline(text.bytes[last]) { afterNewline = position }
        }
        if newlinesFirst, afterNewline > start { return afterNewline }
        return position == text.end || last == start ? position : last
    }

    @inline(__always)
    static func isNewline(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// `s|t|re|ve|m|ll|d`
    private static func endOfContraction(in text: UTF8Text, after start: Int) -> Int? {
        guard start < text.end else { return nil }
        let second = start + 1 < text.end ? text.bytes[start + 1] : 0
        switch (text.bytes[start], second) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return start + 1
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 2
        default:
            return nil
        }
    }

    /// The same in either case. U+017F (long s) folds to s, and nothing else outside ASCII to these letters.
    static func endOfFoldedContraction(in text: UTF8Text, after start: Int) -> Int? {
        guard start < text.end else { return nil }
        let first = text.bytes[start]
        let second = start + 1 < text.end ? text.bytes[start + 1] : 0
        if first == 0xC5, second == 0xBF { return start + 2 }
        switch (first | 0x20, second | 0x20) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return first < 0x80 ? start + 1 : nil
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 2
        default:
            return nil
        }
    }
}
