/// What is done to text, apart from its added tokens, before it is cut into words: steps, one after another.
struct Normalizer: Sendable {
    private enum Step: Sendable {
        case form(NormalizationForm)
        case prepend([UInt8])
        case replace(TextPattern, by: [UInt8])
        case lowercase
        case strip(left: Bool, right: Bool)
        case stripAccents
    }

    private var steps: [Step] = []
    private var growth = TextGrowth()

    /// Reads the field `normalizer`, nil where it is null.
    init(_ field: JSONField?) throws(TokenizerError) {
        if let field { try append(field) }
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            try field.checkKeys("type", "normalizers")
            for element in try field.required("normalizers").elements() { try append(element) }
            return
        case "Prepend":
            try field.checkKeys("type", "prepend")
            let prefix = try field.required("prepend")
            // The library loses the place of the first character over it.
            guard try !prefix.string().isEmpty else { throw prefix.unsupported("an empty text; leave the step out") }
            let content = try TextGrowth.content(prefix)
            // A text has at least one byte, or nothing is put before it.
            try growth.add(field, by: Double(1 + content.count))
            steps.append(.prepend(content))
            return
        case "Replace":
            let (pattern, content) = try growth.addReplacement(field)
            steps.append(.replace(pattern, by: content))
            return
        case "Strip":
            try field.checkKeys("type", "strip_left", "strip_right")
            try growth.add(field)
            steps.append(
                .strip(
                    left: try field.required("strip_left").bool(), right: try field.required("strip_right").bool()))
            return
        case "NFC": try append(.composed, field)
        case "NFD": try append(.decomposed, field)
        case "NFKC": try append(.compatibilityComposed, field)
        case "NFKD": try append(.compatibilityDecomposed, field)
        case "Lowercase":
            // U+0130, of two bytes, becomes i and U+0307, of three together.
            try growth.add(field, by: 1.5)
            steps.append(.lowercase)
        case "StripAccents":
            try growth.add(field)
            steps.append(.stripAccents)
        default:
            throw field.unsupported(
                "\(type.quoted); Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip and StripAccents "
                    + "are implemented")
        }
        try field.checkKeys("type")
    }

    private mutating func append(_ form: NormalizationForm, _ field: JSONField) throws(TokenizerError) {
        try growth.add(field, by: form.growth)
        steps.append(.form(form))
    }

    /// The text after all steps; nil where they leave it as it is.
    func normalize(_ stretch: Stretch, isTracked: Bool) -> AlignedText? {
        var result: AlignedText?
        for step in steps {
            if let before = result {
                result = before.withStretch { Self.apply(step, to: $0, isTracked) } ?? before
            } else {
                result = Self.apply(step, to: stretch, isTracked)
            }
        }
        return result
    }

    func normalize(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { buffer in
            let text = UTF8Text(bytes: buffer, end: buffer.count)
            return normalize(Stretch(text: text, start: 0, origins: nil), isTracked: false)?.bytes
        } ?? bytes
    }
}

// MARK: Steps

extension Normalizer {
    /// The text after one step; nil where that leaves it as it is.
    private static func apply(_ step: Step, to stretch: Stretch, _ isTracked: Bool) -> AlignedText? {
        let text = stretch.text
        guard stretch.count > 0 else { return nil }
        switch step {
        case .form(let form):
            return form.leavesAlone(stretch) ? nil : form.normalize(stretch, isTracked: isTracked)
        case .prepend(let prefix):
            // What is put before the text counts for its first character.
            var result = AlignedText(isTracked: isTracked, capacity: stretch.count + prefix.count)
            result.append(prefix, from: stretch.origin(ofCharacterAt: stretch.start))
            result.append(stretch.start..<text.end, of: stretch)
            return result
        case .replace(let pattern, let content):
            return replace(pattern, by: content, in: stretch, isTracked)
        case .lowercase:
            return lowercase(stretch, isTracked)
        case .strip(let left, let right):
            let start = left ? text.endOfRun(of: .space, from: stretch.start) : stretch.start
            var end = text.end
            while right, end > start, case let before = text.start(before: end),
                text.scalarClass(at: before).value.contains(.space)
            {
                end = before
            }
            guard start > stretch.start || end < text.end else { return nil }
            return AlignedText(stretch.part(start..<end), isTracked: isTracked)
        case .stripAccents:
            var result = AlignedText(isTracked: isTracked, capacity: stretch.count)
            TextPattern.scalars(.accent).forEachPart(of: text, from: stretch.start) { part, isMatch in
                if !isMatch { result.append(part, of: stretch) }
            }
            return result.bytes.count == stretch.count ? nil : result
        }
    }

    private static func replace(
        _ pattern: TextPattern, by content: [UInt8], in stretch: Stretch, _ isTracked: Bool
    ) -> AlignedText? {
        var result = AlignedText(isTracked: isTracked, capacity: stretch.count * 3 / 2)
        var hasMatch = false
        pattern.forEachPart(of: stretch.text, from: stretch.start) { part, isMatch in
            guard isMatch else {
                result.append(part, of: stretch)
                return
            }
            hasMatch = true
            // As in the library, what replaces several characters counts for the last.
            result.append(content, from: stretch.origin(ofCharacterAt: stretch.text.start(before: part.upperBound)))
        }
        return hasMatch ? result : nil
    }

    private static func lowercase(_ stretch: Stretch, _ isTracked: Bool) -> AlignedText? {
        let isLower = stretch.bytes.allSatisfy { $0 < 0x80 && !(0x41...0x5A).contains($0) }
        guard !isLower else { return nil }
        var result = AlignedText(isTracked: isTracked, capacity: stretch.count)
        var position = stretch.start
        while position < stretch.text.end {
            let (scalar, width) = stretch.text.scalar(at: position)
            let origin = stretch.origin(ofCharacterAt: position)
            if scalar < 0x80 {
                result.append((0x41...0x5A).contains(scalar) ? scalar | 0x20 : scalar, from: origin)
            } else if let parts = MappingTable.lowercase.parts[scalar] {
                for part in parts { result.append(part, from: origin) }
            } else {
                result.append(scalar, from: origin)
            }
            position += width
        }
        return result
    }
}
