/// Splits a command line into words and operators; quotes and `$` are recognised, but nothing is replaced yet.
///
/// The lexer works on bytes: every character with a meaning is ASCII, so no cut can split a scalar.
struct Lexer {
    indirect enum Variable: Equatable {
        case named(String)
        /// A variable for one of the script's arguments, `$1`, `$2`, ….
        case argument(Int)
        /// The variable for the number of the script's arguments, `$#`.
        case argumentCount
        /// The variable for all of the script's arguments, `$@`.
        case allArguments
        /// A variable with a default, `${1:-text}`: the text applies if there is no such variable, or it is empty.
        case defaulted(Variable, String)
        /// A variable that begins with `${` but can't be read, with the error's message.
        case malformed(String)
    }

    enum Piece: Equatable {
        case text([UInt8])
        case variable(Variable, offset: Int)
    }

    struct Word: Equatable {
        var pieces: [Piece] = []
        var wasQuoted = false
        var range: Range<Int>

        /// The word's text without quotes; nil if a variable in it has to be replaced first.
        var literal: String? {
            var bytes: [UInt8] = []
            for piece in pieces {
                guard case .text(let text) = piece else { return nil }
                bytes += text
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    enum Token: Equatable {
        case word(Word)
        case redirect(append: Bool, offset: Int)
        /// A pipe `|` into a shell command, with the rest of the line, without the blanks around it.
        case pipe(String, offset: Int)
    }

    enum Ending: Equatable {
        case complete
        case openQuote(UInt8, offset: Int)
        case trailingBackslash(offset: Int)
    }

    static let newline = UInt8(ascii: "\n")

    let source: [UInt8]
    /// Tells of a verb (a command's first word) whether the words after it may hold `>` and `|`, as in `expect x > 3`.
    let isExpression: (String) -> Bool
    private(set) var position: Int
    private(set) var tokens: [Token] = []
    private(set) var ending = Ending.complete
    /// Whether the source text ended inside a comment.
    private(set) var endedInComment = false

    init(_ source: [UInt8], from position: Int = 0, isExpression: @escaping (String) -> Bool) {
        self.source = source
        self.position = position
        self.isExpression = isExpression
    }

    /// Reads the tokens of one command, up to the end of the text or to a line break outside quotes, which is not
    /// consumed.
    mutating func scan() {
        while let byte = peek() {
            switch byte {
            case Self.newline: return
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "#"):
                skipComment()
                if peek() == nil { endedInComment = true }
            case UInt8(ascii: ">") where hasOperators:
                let offset = position
                position += 1
                let append = peek() == UInt8(ascii: ">")
                if append { position += 1 }
                tokens.append(.redirect(append: append, offset: offset))
            case UInt8(ascii: "|") where hasOperators: scanPipe()
            case UInt8(ascii: "\\") where isContinuation(at: position): position += continuationLength(at: position)
            default: scanWord()
            }
        }
    }

    /// Steps over the line break at which `scan`, which reads one command, stopped.
    mutating func skipNewline() {
        if peek() == Self.newline { position += 1 }
    }

    private var hasOperators: Bool {
        guard case .word(let verb)? = tokens.first, let text = verb.literal else { return true }
        return !isExpression(text)
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < source.count ? source[position + ahead] : nil
    }

    private mutating func skipComment() {
        while let byte = peek(), byte != Self.newline { position += 1 }
    }

    private func continuationLength(at index: Int) -> Int {
        if index + 1 < source.count, source[index + 1] == Self.newline { return 2 }
        if index + 2 < source.count, source[index + 1] == UInt8(ascii: "\r"), source[index + 2] == Self.newline {
            return 3
        }
        return 0
    }

    private func isContinuation(at index: Int) -> Bool { continuationLength(at: index) > 0 }

    private mutating func scanPipe() {
        let offset = position
        position += 1
        let start = position
        while let byte = peek() {
            if byte == UInt8(ascii: "\\") {
                if peek(1) == nil { ending = .trailingBackslash(offset: position) }
                // A system shell continues its lines in the same way, so both characters are passed on.
                position += min(2, source.count - position)
                continue
            }
            if byte == Self.newline { break }
            position += 1
        }
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var command = source[start..<position].drop(while: isBlank)
        while let last = command.last, isBlank(last) { command.removeLast() }
        tokens.append(.pipe(String(decoding: command, as: UTF8.self), offset: offset))
    }

    private mutating func scanWord() {
        let start = position
        var word = Word(range: start..<start)
        var text: [UInt8] = []
        func flush() {
            if !text.isEmpty { word.pieces.append(.text(text)) }
            text = []
        }
        scan: while let byte = peek() {
            switch byte {
            case Self.newline, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break scan
            case UInt8(ascii: ">"), UInt8(ascii: "|"):
                // The word that is being read may itself be the verb.
                if !tokens.isEmpty ? hasOperators : !isExpression(String(decoding: text, as: UTF8.self)) { break scan }
                text.append(byte)
                position += 1
            case UInt8(ascii: "'"):
                word.wasQuoted = true
                scanSingleQuotes(into: &text)
            case UInt8(ascii: "\""):
                word.wasQuoted = true
                flush()
                scanDoubleQuotes(into: &word)
            case UInt8(ascii: "\\"):
                scanBackslash(into: &text, word: &word)
            case UInt8(ascii: "$"):
                if let variable = scanVariable() {
                    flush()
                    word.pieces.append(variable)
                } else {
                    text.append(byte)
                    position += 1
                }
            default:
                text.append(byte)
                position += 1
            }
        }
        flush()
        word.range = start..<position
        tokens.append(.word(word))
    }

    private mutating func scanBackslash(into text: inout [UInt8], word: inout Word) {
        if isContinuation(at: position) {
            position += continuationLength(at: position)
        } else if let next = peek(1) {
            word.wasQuoted = true
            text.append(next)
            position += 2
        } else {
            ending = .trailingBackslash(offset: position)
            position += 1
        }
    }

    private mutating func scanSingleQuotes(into text: inout [UInt8]) {
        let start = position
        position += 1
        while let byte = peek() {
            position += 1
            if byte == UInt8(ascii: "'") { return }
            text.append(byte)
        }
        ending = .openQuote(UInt8(ascii: "'"), offset: start)
    }

    private mutating func scanDoubleQuotes(into word: inout Word) {
        let start = position
        position += 1
        var text: [UInt8] = []
        defer { if !text.isEmpty { word.pieces.append(.text(text)) } }
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                if isContinuation(at: position) {
                    position += continuationLength(at: position)
                } else if let next = peek(1),
                    [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$")].contains(next)
                {
                    text.append(next)
                    position += 2
                } else {
                    text.append(byte)
                    position += 1
                }
            case UInt8(ascii: "$"):
                if let variable = scanVariable() {
                    if !text.isEmpty { word.pieces.append(.text(text)) }
                    text = []
                    word.pieces.append(variable)
                } else {
                    text.append(byte)
                    position += 1
                }
            default:
                text.append(byte)
                position += 1
            }
        }
        ending = .openQuote(UInt8(ascii: "\""), offset: start)
    }

    /// Reads a variable such as `$NAME` or `${NAME}`; returns nil and reads nothing if the `$` here stands for itself.
    private mutating func scanVariable() -> Piece? {
        let offset = position
        guard let first = peek(1) else { return nil }
        let variable: Variable
        switch first {
        case UInt8(ascii: "{"):
            position += 2
            var name: [UInt8] = []
            while let byte = peek(), Name.isContinuation(byte) {
                name.append(byte)
                position += 1
            }
            if peek() == UInt8(ascii: "}") {
                position += 1
                variable = Self.braced(String(decoding: name, as: UTF8.self))
            } else if peek() == UInt8(ascii: ":"), peek(1) == UInt8(ascii: "-"), let text = scanDefault() {
                variable = .defaulted(Self.braced(String(decoding: name, as: UTF8.self)), text)
            } else {
                variable = .malformed("${ needs a name and a }; write '$' or \\$ for the character")
            }
        case UInt8(ascii: "#"):
            position += 2
            variable = .argumentCount
        case UInt8(ascii: "@"):
            position += 2
            variable = .allArguments
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            position += 2
            variable = .argument(Int(first - UInt8(ascii: "0")))
        case _ where Name.isStart(first):
            position += 1
            var name: [UInt8] = []
            // Dots and dashes belong to what follows, as in $name.h5; within ${…} they are part of the name.
            while let byte = peek(), Name.isContinuation(byte), byte != UInt8(ascii: "."), byte != UInt8(ascii: "-") {
                name.append(byte)
                position += 1
            }
            variable = .named(String(decoding: name, as: UTF8.self))
        default: return nil
        }
        return .variable(variable, offset: offset)
    }

    /// Reads a variable's default, the text between `:-` and `}`, as it is written; returns nil and reads nothing if
    /// there is no `}`.
    private mutating func scanDefault() -> String? {
        var text: [UInt8] = []
        var ahead = 2
        while let byte = peek(ahead) {
            ahead += 1
            if byte == UInt8(ascii: "}") {
                position += ahead
                return String(decoding: text, as: UTF8.self)
            }
            text.append(byte)
        }
        return nil
    }

    private static func braced(_ name: String) -> Variable {
        if let number = Int(name), name.utf8.allSatisfy({ $0 != UInt8(ascii: "-") }) { return .argument(number) }
        if Name.isValid(name) { return .named(name) }
        return .malformed("${\(name)} is no name; \(Name.rule)")
    }
}
