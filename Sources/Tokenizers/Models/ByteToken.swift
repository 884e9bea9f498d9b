/// Tokens that stand for single bytes where a character has none: `<0x0A>`.
enum ByteToken {
    /// The text of the token for a byte.
    static func text(of byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The byte that a token stands for; nil for other tokens. Digits may be in either case, and a plus sign may
    /// stand before a single one, since the library's parser of numbers takes that.
    static func byte(of token: ArraySlice<UInt8>) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">"),
            let low = digit(token[token.startIndex + 4])
        else { return nil }
        let first = token[token.startIndex + 3]
        if first == UInt8(ascii: "+") { return low }
        return digit(first).map { $0 << 4 | low }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
