/// What the splitting patterns ask of a code point.
struct ScalarClass: OptionSet, Sendable {
    let rawValue: UInt16

    /// `\p{L}`
    static let letter = ScalarClass(rawValue: 1)
    /// `\p{N}`
    static let number = ScalarClass(rawValue: 2)
    /// `\s`
    static let space = ScalarClass(rawValue: 4)
    /// What the Digits pre-tokenizer takes for a digit. Its Unicode version is not that of `\p{N}`.
    static let numeric = ScalarClass(rawValue: 8)
    /// `\w`, as added tokens that want to be single words use it.
    static let word = ScalarClass(rawValue: 16)
    /// What the Punctuation pre-tokenizer takes for punctuation.
    static let punctuation = ScalarClass(rawValue: 32)
    /// `\p{M}`
    static let mark = ScalarClass(rawValue: 64)
    /// What the StripAccents normalizer takes out. Its Unicode version is not that of `\p{M}`.
    static let accent = ScalarClass(rawValue: 128)
    /// `[\p{Lu}\p{Lt}]`
    static let upper = ScalarClass(rawValue: 256)
    /// `\p{Ll}`
    static let lower = ScalarClass(rawValue: 512)
    /// `\d`
    static let decimal = ScalarClass(rawValue: 1024)
}

/// The classes of all code points, in blocks of 256 of which equal ones are shared.
///
/// They come from a table and not from the standard library's Unicode properties, because those follow
/// the version of the toolchain or of the operating system, and with them token ids would change.
final class UnicodeClasses: Sendable {
    static let shared = UnicodeClasses()

    private let blocks: [UInt16]
    private let classes: [UInt16]

    private init() {
        var flat = [UInt16](repeating: 0, count: 0x110000)
        flat.withUnsafeMutableBufferPointer { flat in
            var position = 0
            var delta = 0
            var current: UInt16 = 0
            unicodeClassRuns.withUTF8Buffer { text in
                for byte in text {
                    switch byte {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"):
                        delta = delta << 4 | Int(byte & 0x0F)
                    case UInt8(ascii: "a")...UInt8(ascii: "f"):
                        delta = delta << 4 | Int(byte - UInt8(ascii: "a") + 10)
                    case UInt8(ascii: "G")...UInt8(ascii: "Z"):
                        flat[position..<position + delta].update(repeating: current)
                        position += delta
                        delta = 0
                        current = unicodeClassOfLetter[Int(byte - UInt8(ascii: "G"))]
                    default:
                        continue
                    }
                }
            }
            flat[position...].update(repeating: current)
        }
        var blocks: [UInt16] = []
        var classes: [UInt16] = []
        var known: [[UInt16]: UInt16] = [:]
        for start in stride(from: 0, to: flat.count, by: 256) {
            let block = Array(flat[start..<start + 256])
            if let index = known[block] {
                blocks.append(index)
            } else {
                let index = UInt16(classes.count / 256)
                known[block] = index
                blocks.append(index)
                classes += block
            }
        }
        self.blocks = blocks
        self.classes = classes
    }

    @inline(__always)
    subscript(scalar: UInt32) -> ScalarClass {
        ScalarClass(rawValue: classes[Int(blocks[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)])
    }
}
