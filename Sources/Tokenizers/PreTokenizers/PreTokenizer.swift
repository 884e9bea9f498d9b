/// Cuts text into the words that the model encodes one by one: stages, of which ByteLevel is the last.
struct PreTokenizer: Sendable {
    private enum Stage: Sendable {
        case split(TextPattern, SplitBehavior, isInverted: Bool)
        case metaspace(Metaspace)
        /// A space before every piece that has none: ByteLevel's.
        case prefixSpace
    }

    /// More are refused: each takes its part of the stack while a text is cut.
    static let stageLimit = 64
    /// More are refused: each can double the pieces of a text.
    static let metaspaceLimit = 4

    private var stages: [Stage] = []

    /// Whether words go to the model in the byte-level alphabet, as ByteLevel has it; otherwise as they are.
    private(set) var isByteLevel = false

    /// Whether a stage asks where in the original text a piece begins.
    private(set) var needsOrigins = false

    /// Reads the field `pre_tokenizer`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field { try append(field) }
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        if type == "Sequence" {
            try field.checkKeys("type", "pretokenizers")
            for element in try field.required("pretokenizers").elements() { try append(element) }
            return
        }
        guard !isByteLevel else {
            throw field.unsupported("\(type.quoted) after ByteLevel would see its alphabet instead of the text")
        }
        switch type {
        case "ByteLevel":
            try field.checkKeys("type", "add_prefix_space", "trim_offsets", "use_regex")
            isByteLevel = true
            if try field.required("add_prefix_space").bool() { try append(.prefixSpace, field) }
            if try field.bool("use_regex", default: true) { try appendSplit(.words(.gpt2), .isolated, field) }
        case "Digits":
            try field.checkKeys("type", "individual_digits")
            let individually = try field.bool("individual_digits", default: false)
            try appendSplit(.scalars(.numeric), individually ? .isolated : .contiguous, field)
        case "Split":
            try field.checkKeys("type", "pattern", "behavior", "invert")
            try appendSplit(
                try TextPattern(try field.required("pattern")), try SplitBehavior(try field.required("behavior")),
                field, isInverted: try field.required("invert").bool())
        case "Punctuation":
            try field.checkKeys("type", "behavior")
            let behavior = try field.optional("behavior")
            try appendSplit(.scalars(.punctuation), try behavior.map(SplitBehavior.init) ?? .isolated, field)
        case "Whitespace":
            try field.checkKeys("type")
            try appendSplit(.wordsAndSymbols, .removed, field, isInverted: true)
        case "WhitespaceSplit":
            try field.checkKeys("type")
            try appendSplit(.scalars(.space), .removed, field)
        case "Metaspace":
            let metaspace = try Metaspace(field)
            // Each may put a mark before every piece, and what splits at marks then doubles the pieces.
            let others = stages.count { if case .metaspace = $0 { true } else { false } }
            guard others < Self.metaspaceLimit else {
                throw field.unsupported("more than \(Self.metaspaceLimit) Metaspace stages")
            }
            try append(.metaspace(metaspace), field)
            if metaspace.splits { try appendSplit(.string(metaspace.replacement), .mergedWithNext, field) }
            if metaspace.prepending == .first { needsOrigins = true }
        default:
            throw field.unsupported(
                "\(type.quoted); Sequence, ByteLevel, Split, Digits, Metaspace, Whitespace, WhitespaceSplit and "
                    + "Punctuation are implemented")
        }
    }

    private mutating func append(_ stage: Stage, _ field: JSONField) throws(TokenizerError) {
        guard stages.count < Self.stageLimit else { throw field.unsupported("more than \(Self.stageLimit) stages") }
        stages.append(stage)
    }

    private mutating func appendSplit(
        _ pattern: TextPattern, _ behavior: SplitBehavior, _ field: JSONField, isInverted: Bool = false
    ) throws(TokenizerError) {
        try append(.split(pattern, behavior, isInverted: isInverted), field)
    }
}

// MARK: Cutting

extension PreTokenizer {
    /// Calls `body` with the words of a text, in order.
    ///
    /// - Parameter isTracked: keep for each word where it comes from.
    func forEachWord(in stretch: Stretch, isTracked: Bool, _ body: (Stretch) -> Void) {
        Self.run(stages[...], stretch, isTracked, body)
    }

    private static func run(
        _ stages: ArraySlice<Stage>, _ stretch: Stretch, _ isTracked: Bool, _ body: (Stretch) -> Void
    ) {
        guard stretch.count > 0 else { return }
        guard let stage = stages.first else {
            body(stretch)
            return
        }
        let rest = stages.dropFirst()
        switch stage {
        case .split(.words(let pattern), .isolated, _):
            // By far the most frequent one, without the rest's indirections.
            var position = stretch.start
            while position < stretch.text.end {
                let end = pattern.endOfWord(in: stretch.text, from: position)
                let piece = stretch.part(position..<end)
                if rest.isEmpty { body(piece) } else { run(rest, piece, isTracked, body) }
                position = end
            }
        case .split(let pattern, let behavior, let isInverted):
            behavior.forEachPiece(of: stretch.text, from: stretch.start, at: pattern, isInverted: isInverted) { range in
                let piece = stretch.part(range)
                if rest.isEmpty { body(piece) } else { run(rest, piece, isTracked, body) }
            }
        case .prefixSpace:
            guard stretch.text.bytes[stretch.start] != UInt8(ascii: " ") else {
                run(rest, stretch, isTracked, body)
                return
            }
            // The space counts for the first character.
            var text = AlignedText(isTracked: isTracked, capacity: stretch.count + 1)
            text.append([UInt8(ascii: " ")], from: stretch.origin(ofCharacterAt: stretch.start))
            text.append(stretch.start..<stretch.text.end, of: stretch)
            text.withStretch { run(rest, $0, isTracked, body) }
        case .metaspace(let metaspace):
            metaspace.replaceSpaces(in: stretch, isTracked: isTracked).withStretch { run(rest, $0, isTracked, body) }
        }
    }
}
