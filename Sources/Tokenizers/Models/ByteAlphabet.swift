/// The byte-level alphabet of GPT-2: a printable character for each byte, itself where it is printable
/// Latin-1 and from U+0100 on otherwise.
enum ByteAlphabet {
    /// The code point of each byte.
    static let scalars: [UInt16] = {
        var next: UInt16 = 0x100
        return (0...255).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return UInt16(byte)
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    /// The byte of each code point, -1 outside the alphabet.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// The character of a byte in UTF-8.
    static func encode(_ byte: UInt8, into result: inout [UInt8]) {
        let scalar = scalars[Int(byte)]
        if scalar < 0x80 {
            result.append(UInt8(scalar))
        } else {
            result.append(0xC0 | UInt8(scalar >> 6))
            result.append(0x80 | UInt8(scalar & 0x3F))
        }
    }

    /// Appends the bytes that a token stands for. One with a character outside the alphabet stands for
    /// its own text.
    static func decode(_ token: ArraySlice<UInt8>, into result: inout [UInt8]) {
        let start = result.count
        var index = token.startIndex
        while index < token.endIndex {
            var scalar = Int(token[index])
            index += 1
            if scalar >= 0x80, index < token.endIndex {
                // The alphabet takes at most two bytes; a longer character comes out past its end.
                scalar = (scalar & 0x3F) << 6 | Int(token[index] & 0x3F)
                index += 1
            }
            guard scalar < bytes.count, bytes[scalar] >= 0 else {
                result.removeSubrange(start...)
                result.append(contentsOf: token)
                return
            }
            result.append(UInt8(bytes[scalar]))
        }
    }
}
