/// Checks for the well-formed byte sequences of UTF-8 (The Unicode Standard, table 3-7).
package enum UTF8Validation {
    /// Returns the offset of the first byte that is not part of a well-formed sequence; nil if there is none.
    package static func firstInvalidByte(of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let raw = UnsafeRawBufferPointer(bytes)
        var position = 0
        while position < bytes.count {
            if position + 8 <= bytes.count,
                raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                position += 8
                continue
            }
            let first = bytes[position]
            if first < 0x80 {
                position += 1
                continue
            }
            let (length, second): (Int, ClosedRange<UInt8>)
            switch first {
            case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            default: return position
            }
            for index in 1..<length {
                let allowed = index == 1 ? second : 0x80...0xBF
                guard position + index < bytes.count, allowed.contains(bytes[position + index]) else {
                    return position
                }
            }
            position += length
        }
        return nil
    }
}
