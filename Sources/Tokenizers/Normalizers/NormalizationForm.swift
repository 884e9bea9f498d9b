/// The normalization forms of Unicode (Unicode Standard Annex #15).
enum NormalizationForm: Sendable {
    /// NFD.
    case decomposed
    /// NFC.
    case composed
    /// NFKD.
    case compatibilityDecomposed
    /// NFKC.
    case compatibilityComposed

    /// How many times as long it makes a text in UTF-8 at most (https://www.unicode.org/faq/normalization.html#12).
    var growth: Double { isCompatibility ? 11 : 3 }

    private var isCompatibility: Bool { self == .compatibilityDecomposed || self == .compatibilityComposed }
    private var composes: Bool { self == .composed || self == .compatibilityComposed }

    private struct Part {
        var scalar: UInt32
        let combiningClass: UInt8
        var origin: AlignedText.Origin
    }

    /// Below U+00A0 no scalar decomposes and below U+00C0 none canonically; below U+0300 none combines with what is
    /// before it.
    func leavesAlone(_ stretch: Stretch) -> Bool {
        let limit: UInt8 = isCompatibility ? 0x80 : self == .composed ? 0xCC : 0xC3
        return stretch.bytes.allSatisfy { $0 < limit }
    }

    /// The form of a stretch of text.
    func normalize(_ stretch: Stretch, isTracked: Bool) -> AlignedText {
        let mappings = CanonicalMappings.shared
        let text = stretch.text
        var parts: [Part] = []
        parts.reserveCapacity(stretch.count)
        var position = stretch.start
        while position < text.end {
            let (scalar, width) = text.scalar(at: position)
            let origin = stretch.origin(ofCharacterAt: position)
            func append(_ part: UInt32) {
                parts.append(Part(scalar: part, combiningClass: mappings.combiningClass(of: part), origin: origin))
            }
            if isCompatibility, let compatible = MappingTable.compatibility.parts[scalar] {
                for part in compatible { append(part) }
            } else {
                mappings.decompose(scalar, append)
            }
            position += width
        }
        Self.order(&parts)
        if composes { Self.compose(&parts, mappings) }
        var result = AlignedText(isTracked: isTracked, capacity: stretch.count)
        for part in parts { result.append(part.scalar, from: part.origin) }
        return result
    }

    /// Puts each run of combining marks in the order of their classes; equal ones stay in place. As in the library,
    /// origins stay in the order of the text, so that the first mark is still where the first one was.
    private static func order(_ parts: inout [Part]) {
        var start = 0
        while start < parts.count {
            guard parts[start].combiningClass > 0 else {
                start += 1
                continue
            }
            var end = start + 1
            while end < parts.count, parts[end].combiningClass > 0 { end += 1 }
            if end - start > 1 {
                let sorted = parts[start..<end].enumerated().sorted {
                    ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
                }
                let origins = parts[start..<end].map(\.origin)
                for (offset, part) in sorted.enumerated() {
                    parts[start + offset] = part.element
                    parts[start + offset].origin = origins[offset]
                }
            }
            start = end
        }
    }

    /// Composes each mark that nothing blocks with the last starter.
    private static func compose(_ parts: inout [Part], _ mappings: CanonicalMappings) {
        var kept: [Part] = []
        kept.reserveCapacity(parts.count)
        var starter: Int?
        for part in parts {
            if let starter {
                let isNext = starter == kept.count - 1
                let isBlocked = !isNext && kept[kept.count - 1].combiningClass >= part.combiningClass
                if !isBlocked, let composed = mappings.compose(kept[starter].scalar, part.scalar) {
                    kept[starter].scalar = composed
                    let origin = kept[starter].origin
                    kept[starter].origin = .init(
                        start: min(origin.start, part.origin.start), end: max(origin.end, part.origin.end))
                    continue
                }
            }
            if part.combiningClass == 0 { starter = kept.count }
            kept.append(part)
        }
        parts = kept
    }
}
