/// Canonical decompositions, compositions and combining classes, from NormalizationTable.
final class CanonicalMappings: Sendable {
    static let shared = CanonicalMappings()

    private let decompositionOf: [UInt32: [UInt32]]
    private let compositionOf: [UInt64: UInt32]
    private let classOf: [UInt32: UInt8]

    private init() {
        let canonical = MappingTable(decompositions)
        let decompositionOf = canonical.parts
        self.decompositionOf = decompositionOf

        var classOf: [UInt32: UInt8] = [:]
        var start: UInt32 = 0
        var current: UInt8 = 0
        var letters: UInt8 = 0
        var hasLetter = false
        var number: UInt32 = 0
        combiningClassRuns.withUTF8Buffer { text in
            for byte in text {
                guard byte >= UInt8(ascii: "G"), byte <= UInt8(ascii: "Z") else {
                    number = number << 4 | MappingTable.digit(byte)
                    continue
                }
                letters = letters * 20 + (byte - UInt8(ascii: "G"))
                if hasLetter {
                    if current > 0 {
                        for scalar in start..<start + number { classOf[scalar] = current }
                    }
                    start += number
                    current = letters
                    (number, letters) = (0, 0)
                }
                hasLetter.toggle()
            }
        }
        self.classOf = classOf

        // A composite is its last part after whatever the parts before it compose to.
        var compositionOf: [UInt64: UInt32] = [:]
        for scalar in canonical.composites.sorted(by: { decompositionOf[$0]!.count < decompositionOf[$1]!.count }) {
            let parts = decompositionOf[scalar]!
            var first = parts[0]
            for part in parts[1..<parts.count - 1] {
                first = compositionOf[UInt64(first) << 32 | UInt64(part)] ?? first
            }
            compositionOf[UInt64(first) << 32 | UInt64(parts[parts.count - 1])] = scalar
        }
        self.compositionOf = compositionOf
    }

    func combiningClass(of scalar: UInt32) -> UInt8 {
        classOf[scalar] ?? 0
    }

    /// Calls `body` with the scalars that `scalar` decomposes to in full.
    func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
        if (Hangul.first..<Hangul.first + Hangul.count).contains(scalar) {
            let index = scalar - Hangul.first
            body(Hangul.leading + index / (Hangul.vowels * Hangul.trailings))
            body(Hangul.vowel + index / Hangul.trailings % Hangul.vowels)
            if index % Hangul.trailings > 0 { body(Hangul.trailing + index % Hangul.trailings) }
        } else if let parts = decompositionOf[scalar] {
            for part in parts { body(part) }
        } else {
            body(scalar)
        }
    }

    /// The scalar that two compose to.
    func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (Hangul.leading..<Hangul.leading + Hangul.leadings).contains(first),
            (Hangul.vowel..<Hangul.vowel + Hangul.vowels).contains(second)
        {
            return Hangul.first
                + ((first - Hangul.leading) * Hangul.vowels + second - Hangul.vowel) * Hangul.trailings
        }
        if (Hangul.first..<Hangul.first + Hangul.count).contains(first),
            (first - Hangul.first) % Hangul.trailings == 0,
            (Hangul.trailing + 1..<Hangul.trailing + Hangul.trailings).contains(second)
        {
            return first + second - Hangul.trailing
        }
        return compositionOf[UInt64(first) << 32 | UInt64(second)]
    }

    /// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12).
    private enum Hangul {
        static let first: UInt32 = 0xAC00
        static let leading: UInt32 = 0x1100
        static let vowel: UInt32 = 0x1161
        /// One before the first trailing consonant.
        static let trailing: UInt32 = 0x11A7
        static let leadings: UInt32 = 19
        static let vowels: UInt32 = 21
        static let trailings: UInt32 = 28
        static let count = leadings * vowels * trailings
    }
}
