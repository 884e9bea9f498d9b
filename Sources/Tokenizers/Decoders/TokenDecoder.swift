import JSON

/// How tokens become text again: steps, one after another, of which each maps the tokens' texts.
struct TokenDecoder: Sendable {
    private enum Step: Sendable {
        case byteLevel
        case replace(TextPattern, by: [UInt8])
        case byteFallback
        case fuse
        case strip(character: [UInt8], start: Int, stop: Int)
        case metaspace(Metaspace)
    }

    private var steps: [Step] = []
    private var growth = TextGrowth()
    /// What the library puts between tokens: a space if there is no decoder at all.
    private var separator: [UInt8] = []

    /// Reads the field `decoder`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field {
            try append(field)
        } else {
            separator = [UInt8(ascii: " ")]
        }
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            try field.checkKeys("type", "decoders")
            for element in try field.required("decoders").elements() { try append(element) }
        case "ByteLevel":
            try field.checkKeys("type", "add_prefix_space", "trim_offsets", "use_regex")
            try growth.add(field)
            steps.append(.byteLevel)
        case "Replace":
            let (pattern, content) = try growth.addReplacement(field)
            steps.append(.replace(pattern, by: content))
        case "ByteFallback":
            try field.checkKeys("type")
            try growth.add(field)
            steps.append(.byteFallback)
        case "Fuse":
            try field.checkKeys("type")
            try growth.add(field)
            steps.append(.fuse)
        case "Strip":
            try field.checkKeys("type", "content", "start", "stop")
            let character = Array(String(try field.required("content").scalar()).utf8)
            try growth.add(field)
            steps.append(
                .strip(
                    character: character, start: try field.required("start").count(),
                    stop: try field.required("stop").count()))
        case "Metaspace":
            try growth.add(field)
            steps.append(.metaspace(try Metaspace(field)))
        default:
            throw field.unsupported(
                "\(type.quoted); Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip and Metaspace are implemented")
        }
    }

    /// The text of tokens. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a character.
    func decode(_ tokens: TokenText) -> String {
        var tokens = tokens
        if !separator.isEmpty, tokens.count > 1 {
            tokens = tokens.mapped { index, token, result in
                if index > 0 { result.append(contentsOf: separator) }
                result.append(contentsOf: token)
            }
        }
        apply(steps[...], &tokens)
        return String(decoding: tokens.bytes, as: UTF8.self)
    }

    /// How a token reads inside a text: what is done only at the text's start or end is left out.
    func decode(inside token: ArraySlice<UInt8>) -> String {
        var tokens = TokenText()
        // Metaspace looks for the first token only.
        tokens.append([])
        tokens.append(token)
        let fuse = steps.firstIndex { if case .fuse = $0 { true } else { false } } ?? steps.endIndex
        apply(steps[..<fuse], &tokens)
        let rest = steps[fuse...].filter { if case .strip = $0 { false } else { true } }
        apply(rest[...], &tokens)
        return String(decoding: tokens.bytes, as: UTF8.self)
    }
}

// MARK: Steps

extension TokenDecoder {
    private func apply(_ steps: ArraySlice<Step>, _ tokens: inout TokenText) {
        for step in steps {
            switch step {
            case .byteLevel:
                tokens = tokens.mapped { _, token, result in ByteAlphabet.decode(token, into: &result) }
                tokens.fuse()
                // What comes next works on text; this may be the last of the steps here and not of all.
                tokens = tokens.validated()
            case .replace(let pattern, let content):
                tokens = Self.replace(pattern, by: content, in: tokens)
            case .byteFallback:
                tokens = Self.joinBytes(tokens)
            case .fuse:
                tokens.fuse()
            case .strip(let character, let start, let stop):
                tokens = tokens.mapped { _, token, result in
                    result.append(contentsOf: Self.strip(token, character, start: start, stop: stop))
                }
            case .metaspace(let metaspace):
                let pattern = TextPattern.string(metaspace.replacement)
                let dropsFirst = metaspace.prepending != .never
                tokens = Self.replace(pattern, by: [UInt8(ascii: " ")], in: tokens, exceptFirst: dropsFirst)
            }
        }
    }

    /// - Parameter exceptFirst: take the matches in the first token out instead.
    private static func replace(
        _ pattern: TextPattern, by content: [UInt8], in tokens: TokenText, exceptFirst: Bool = false
    ) -> TokenText {
        tokens.bytes.withUnsafeBufferPointer { bytes in
            let text = UTF8Text(bytes: bytes, end: bytes.count)
            var result = TokenText(capacity: tokens.count)
            var start = 0
            for (index, end) in tokens.ends.enumerated() {
                result.append { result in
                    pattern.forEachPart(of: text.ending(at: end), from: start) { part, isMatch in
                        if !isMatch {
                            result.append(contentsOf: bytes[part])
                        } else if !exceptFirst || index > 0 {
                            result.append(contentsOf: content)
                        }
                    }
                }
                start = end
            }
            return result
        }
    }

    /// Makes text of runs of tokens for single bytes, `<0x0A>`; U+FFFD for every byte of a run that is no UTF-8.
    private static func joinBytes(_ tokens: TokenText) -> TokenText {
        var result = TokenText(capacity: tokens.count)
        var run: [UInt8] = []
        func endRun() {
            guard !run.isEmpty else { return }
            if run.withUnsafeBufferPointer({ UTF8Validation.firstInvalidByte(of: $0) }) == nil {
                result.append(run)
            } else {
                for _ in run { result.append("\u{FFFD}".utf8) }
            }
            run.removeAll(keepingCapacity: true)
        }
        for index in 0..<tokens.count {
            let token = tokens[index]
            if let byte = ByteToken.byte(of: token) {
                run.append(byte)
            } else {
                endRun()
                result.append(token)
            }
        }
        endRun()
        return result
    }

    /// Up to `start` and `stop` times the character taken off the token's ends.
    private static func strip(
        _ token: ArraySlice<UInt8>, _ character: [UInt8], start: Int, stop: Int
    ) -> ArraySlice<UInt8> {
        var rest = token
        var count = 0
        while count < start, rest.starts(with: character) {
            rest = rest.dropFirst(character.count)
            count += 1
        }
        count = 0
        // The end is counted off the whole token, as the library does; what is off already stays off.
        var end = token
        while count < stop, end.count >= character.count, end.suffix(character.count).elementsEqual(character) {
            end = end.dropLast(character.count)
            count += 1
        }
        return rest.startIndex < end.endIndex ? rest[..<end.endIndex] : []
    }
}

extension TokenText {
    /// The text with U+FFFD for bytes that are not UTF-8.
    fileprivate func validated() -> TokenText {
        guard bytes.withUnsafeBufferPointer({ UTF8Validation.firstInvalidByte(of: $0) }) != nil else { return self }
        return mapped { _, token, result in result.append(contentsOf: String(decoding: token, as: UTF8.self).utf8) }
    }
}
