/// The tokens that are one character, by the character: blocks of 256, of which those without a token are one.
struct CharacterTokens: Sendable {
    private var blocks = [UInt16](repeating: 0, count: 0x1100)
    private var tokens = [Int32](repeating: -1, count: 256)

    init(_ vocabulary: Vocabulary) {
        for id in 0..<Int32(truncatingIfNeeded: vocabulary.idCount) {
            guard let token = vocabulary.token(id), (1...4).contains(token.count) else { continue }
            let scalars = String(decoding: token, as: UTF8.self).unicodeScalars
            guard let scalar = scalars.first, scalars.count == 1 else { continue }
            let block = Int(scalar.value >> 8)
            if blocks[block] == 0 {
                blocks[block] = UInt16(tokens.count / 256)
                tokens += [Int32](repeating: -1, count: 256)
            }
            tokens[Int(blocks[block]) << 8 | Int(scalar.value & 0xFF)] = id
        }
    }

    /// The token of a character, -1 where it has none.
    @inline(__always)
    subscript(scalar: UInt32) -> Int32 {
        tokens[Int(blocks[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
    }
}
