/// Splits a command line into words and operators; quotes and `$` are recognised, but nothing is replaced yet.
///
/// Its time is in proportion to the length of the text: each byte is read once, those of a command whose lines arrive one
/// by one too. The lexer works on bytes: every character with a meaning is ASCII, so no cut can split a scalar.
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

    private(set) var source: [UInt8]
    /// Tells of a verb (a command's first word) whether the words after it may hold `>` and `|`, as in `expect x > 3`.
    let isExpression: (String) -> Bool
    private(set) var position: Int
    /// The tokens that have been read to their ends.
    private var closed: [Token] = []
    private(set) var ending = Ending.complete
    /// Whether the source text ended inside a comment.
    private(set) var endedInComment = false
    /// Whether `>` and `|` have their meaning: they have none after a verb that takes an expression.
    private var hasOperators = true
    /// The place of the last `}` of the source; -1 if there is none. A `${NAME:-` after it is never closed, and to look
    /// for the end of each would take time that grows with the square of their number.
    private var lastBrace: Int
    /// The word that the end of the source cut off within a quote or after a backslash.
    private var open: OpenWord?
    /// The place of the `|` of a pipe that the end of the source cut off after a backslash.
    private var openPipe: Int?
    /// The lexer as it was before the first `${NAME:-` that no `}` closes. Later lines may hold the `}`.
    private var unclosed: [Lexer] = []

    private struct OpenWord {
        var word: Word
        /// The bytes that belong to no piece of the word yet.
        var text: [UInt8] = []
        /// The quote that is open, with its place.
        var quote: (byte: UInt8, offset: Int)?

        var isEmpty: Bool { word.pieces.isEmpty && text.isEmpty && !word.wasQuoted }

        mutating func flush() {
            if !text.isEmpty { word.pieces.append(.text(text)) }
            text = []
        }
    }

    init(_ source: [UInt8], from position: Int = 0, isExpression: @escaping (String) -> Bool) {
        self.init(
            source, from: position, lastBrace: source.lastIndex(of: UInt8(ascii: "}")) ?? -1, isExpression: isExpression
        )
    }

    private init(
        _ source: [UInt8], from position: Int, lastBrace: Int, isExpression: @escaping (String) -> Bool
    ) {
        self.source = source
        self.position = position
        self.lastBrace = lastBrace
        self.isExpression = isExpression
    }

    /// The tokens of the command so far, with a word or a pipe that the end of the source cut off.
    var tokens: [Token] {
        if let pipe = openPipe { return closed + [.pipe(command(from: pipe + 1, to: source.count), offset: pipe)] }
        guard var last = open else { return closed }
        last.flush()
        last.word.range = last.word.range.lowerBound..<source.count
        return closed + [.word(last.word)]
    }

    /// The place at which the command ends: of a line break, or of the source's end if it cut the command off.
    var end: Int { ending == .complete ? position : source.count }

    /// The lexer of the command that follows the line break at which `scan` stopped; nil at the end of the source.
    var next: Lexer? {
        guard end < source.count else { return nil }
        return Lexer(source, from: position + 1, lastBrace: lastBrace, isExpression: isExpression)
    }

    /// Adds a line to the source, after a line break. Where the end of the source cut off the command, `scan` goes on
    /// from there, so that lines that are typed one by one are read once each.
    mutating func append(line: some Sequence<UInt8>) {
        source.append(Self.newline)
        let start = source.count
        source += line
        if let brace = source[start...].lastIndex(of: UInt8(ascii: "}")) {
            lastBrace = brace
            if var earlier = unclosed.popLast() {
                swap(&earlier.source, &source)
                (earlier.lastBrace, earlier.unclosed) = (brace, [])
                self = earlier
            }
        }
        ending = .complete
        endedInComment = false
    }

    /// Reads the tokens of one command, up to the end of the text or to a line break outside quotes, which is not
    /// consumed.
    mutating func scan() {
        if let pipe = openPipe { scanPipe(from: pipe) }
        // Before the first character of a word, a backslash joins lines without beginning one.
        if let word = open, word.isEmpty { open = nil }
        if open != nil { scanWord() }
        while ending == .complete, let byte = peek() {
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
                take(.redirect(append: append, offset: offset))
            case UInt8(ascii: "|") where hasOperators:
                position += 1
                scanPipe(from: position - 1)
            case UInt8(ascii: "\\") where isContinuation(at: position): position += continuationLength(at: position)
            default: scanWord()
            }
        }
    }

    /// Steps over the line break at which `scan`, which reads one command, stopped.
    mutating func skipNewline() {
        if peek() == Self.newline { position += 1 }
    }

    private mutating func take(_ token: Token) {
        if closed.isEmpty, case .word(let verb) = token, let text = verb.literal { hasOperators = !isExpression(text) }
        closed.append(token)
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

    /// Reads a pipe, or goes on with one that was cut off, up to the end of the line or of the source.
    private mutating func scanPipe(from offset: Int) {
        openPipe = nil
        while let byte = peek(), byte != Self.newline {
            guard byte != UInt8(ascii: "\\") || peek(1) != nil else {
                ending = .trailingBackslash(offset: position)
                openPipe = offset
                return
            }
            // A system shell continues its lines in the same way, so a backslash and what follows it are passed on.
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        take(.pipe(command(from: offset + 1, to: position), offset: offset))
    }

    /// Returns a shell command of the source without the blanks around it.
    private func command(from start: Int, to end: Int) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var command = source[start..<end].drop(while: isBlank)
        while let last = command.last, isBlank(last) { command.removeLast() }
        return String(decoding: command, as: UTF8.self)
    }

    /// Reads a word, or goes on with the one that was cut off, up to the end of the word or of the source.
    private mutating func scanWord() {
        var word = open ?? OpenWord(word: Word(range: position..<position))
        open = nil
        scan: while true {
            if let quote = word.quote {
                guard scanQuoted(quote.byte, into: &word) else {
                    ending = .openQuote(quote.byte, offset: quote.offset)
                    open = word
                    return
                }
                word.quote = nil
            }
            guard let byte = peek() else { break }
            switch byte {
            case Self.newline, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break scan
            case UInt8(ascii: ">"), UInt8(ascii: "|"):
                // The word that is being read may itself be the verb.
                if !closed.isEmpty ? hasOperators : !isExpression(String(decoding: word.text, as: UTF8.self)) {
                    break scan
                }
                word.text.append(byte)
                position += 1
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                word.word.wasQuoted = true
                if byte == UInt8(ascii: "\"") { word.flush() }
                word.quote = (byte, position)
                position += 1
            case UInt8(ascii: "\\"):
                if isContinuation(at: position) {
                    position += continuationLength(at: position)
                } else if let next = peek(1) {
                    word.word.wasQuoted = true
                    word.text.append(next)
                    position += 2
                } else {
                    // A line that follows joins at the backslash.
                    ending = .trailingBackslash(offset: position)
                    open = word
                    return
                }
            case UInt8(ascii: "$"): scanDollar(into: &word)
            default:
                word.text.append(byte)
                position += 1
            }
        }
        word.flush()
        word.word.range = word.word.range.lowerBound..<position
        take(.word(word.word))
    }

    /// Reads the rest of a quoted text and its closing quote; returns false if the source ends before that.
    private mutating func scanQuoted(_ quote: UInt8, into word: inout OpenWord) -> Bool {
        let isDouble = quote == UInt8(ascii: "\"")
        while let byte = peek() {
            switch byte {
            case quote:
                position += 1
                if isDouble { word.flush() }
                return true
            case UInt8(ascii: "\\") where isDouble:
                if isContinuation(at: position) {
                    position += continuationLength(at: position)
                } else if let next = peek(1),
                    [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$")].contains(next)
                {
                    word.text.append(next)
                    position += 2
                } else if peek(1) == nil || (peek(1) == UInt8(ascii: "\r") && peek(2) == nil) {
                    // Only the next line tells whether the backslash joins the lines.
                    return false
                } else {
                    word.text.append(byte)
                    position += 1
                }
            case UInt8(ascii: "$") where isDouble: scanDollar(into: &word)
            default:
                word.text.append(byte)
                position += 1
            }
        }
        return false
    }

    /// Reads a `$` and the variable that it begins, if it begins one.
    private mutating func scanDollar(into word: inout OpenWord) {
        let start = position
        guard let variable = scanVariable() else {
            word.text.append(UInt8(ascii: "$"))
            position += 1
            return
        }
        if unclosed.isEmpty, case .variable(.malformed, _) = variable, isAtDefault {
            // The copy has no source, which would have to be copied with the next line otherwise.
            var before = self
            (before.source, before.position, before.open) = ([], start, word)
            unclosed = [before]
        }
        word.flush()
        word.word.pieces.append(variable)
    }

    /// Whether the `:-` of a variable's default stands here.
    private var isAtDefault: Bool {
        peek() == UInt8(ascii: ":") && peek(1) == UInt8(ascii: "-")
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
            } else if isAtDefault, let text = scanDefault() {
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
        guard position < lastBrace, let end = source[position...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
        defer { position = end + 1 }
        return String(decoding: source[(position + 2)..<end], as: UTF8.self)
    }

    private static func braced(_ name: String) -> Variable {
        if let number = Int(name), name.utf8.allSatisfy({ $0 != UInt8(ascii: "-") }) { return .argument(number) }
        if Name.isValid(name) { return .named(name) }
        return .malformed("${\(name)} is no name; \(Name.rule)")
    }
}
