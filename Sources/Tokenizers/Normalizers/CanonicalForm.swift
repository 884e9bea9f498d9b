/// Normalization forms D and C (Unicode Standard Annex #15).
enum CanonicalForm: Sendable {
    case decomposed
    case composed

    private struct Part {
        var scalar: UInt32
        let combiningClass: UInt8
        var origin: Range<Int>
    }

    /// Below U+00C0 no scalar decomposes; below U+0300 none combines with what is before it.
    func leavesAlone(_ text: UTF8Text, from start: Int) -> Bool {
        let limit: UInt8 = self == .composed ? 0xCC : 0xC3
        return text.bytes[start..<text.end].allSatisfy { $0 < limit }
    }

    /// The form of a stretch of text; origins are positions in `text`.
    func normalize(_ text: UTF8Text, from start: Int) -> NormalizedText {
        let mappings = CanonicalMappings.shared
        var parts: [Part] = []
        var position = start
        while position < text.end {
            let (scalar, width) = text.scalar(at: position)
            let origin = position..<position + width
            mappings.decompose(scalar) { part in
                parts.append(
                    Part(scalar: part, combiningClass: mappings.combiningClass(of: part), origin: origin))
            }
            position += width
        }
        Self.order(&parts)
        if self == .composed { Self.compose(&parts, mappings) }
        var result = NormalizedText()
        for part in parts { result.append(part.scalar, from: part.origin) }
        return result
    }

    /// Puts each run of combining marks in the order of their classes; equal ones stay in place.
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
                parts.replaceSubrange(start..<end, with: sorted.map(\.element))
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
                    kept[starter].origin =
                        min(origin.lowerBound, part.origin.lowerBound)..<max(origin.upperBound, part.origin.upperBound)
                    continue
                }
            }
            if part.combiningClass == 0 { starter = kept.count }
            kept.append(part)
        }
        parts = kept
    }
}
