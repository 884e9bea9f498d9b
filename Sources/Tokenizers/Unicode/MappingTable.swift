/// Characters and what they are mapped to, from the text form that Scripts/goldens/tokenizer_unicode.py writes.
struct MappingTable: Sendable {
    /// The scalars that each character becomes; characters that stay as they are have none.
    private(set) var parts: [UInt32: [UInt32]] = [:]
    /// The characters that their parts compose to again.
    private(set) var composites: [UInt32] = []

    /// Compatibility decompositions (Unicode Standard Annex #15) where they are not the canonical ones.
    static let compatibility = MappingTable(compatibilityDecompositions)
    /// Characters in lower case, each by itself.
    static let lowercase = MappingTable(lowercaseMappings)

    init(_ text: StaticString) {
        var scalar: UInt32 = 0
        var number: UInt32 = 0
        var current: [UInt32] = []
        text.withUTF8Buffer { text in
            for byte in text {
                switch byte {
                case UInt8(ascii: "X"), UInt8(ascii: "Y"):
                    scalar += number
                    if byte == UInt8(ascii: "X") { composites.append(scalar) }
                    number = 0
                case UInt8(ascii: "Z"):
                    current.append(number)
                    number = 0
                case UInt8(ascii: "W"):
                    parts[scalar] = current + [number]
                    current = []
                    number = 0
                default:
                    number = number << 4 | Self.digit(byte)
                }
            }
        }
    }

    /// The value of a hexadecimal digit in lower case.
    static func digit(_ byte: UInt8) -> UInt32 {
        byte < UInt8(ascii: "a") ? UInt32(byte & 0x0F) : UInt32(byte - UInt8(ascii: "a") + 10)
    }
}
