import Foundation
import JSON
import Tokenizers

/// The files that Scripts/goldens/tokenizer_goldens.py makes.
enum Fixtures {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/tokenizers")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(json: try bytes("\(name).json"), label: "\(name).json")
    }

    static func value(_ name: String) throws -> JSONValue {
        try JSONValue(parsing: try bytes("\(name).json"), file: "\(name).json")
    }

    static func tokenizer(_ value: JSONValue) throws -> Tokenizer {
        try Tokenizer(json: Array(JSONWriter.text(value).utf8), label: "t.json")
    }

    static func lines() throws -> [String] {
        let value = try JSONValue(parsing: try bytes("lines.json"), file: "lines.json")
        return value.array?.compactMap(\.string) ?? []
    }

    /// Two checksums for each line: of the ids, and of what they decode to with their offsets.
    static func hashes(_ name: String) throws -> [String] {
        String(decoding: try bytes("\(name).hashes.txt"), as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// CRC-32 (ISO 3309), as zlib's.
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    private var state = UInt32.max

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ state >> 8 }
    }

    mutating func add(littleEndian numbers: some Sequence<Int32>) {
        for number in numbers { withUnsafeBytes(of: number.littleEndian) { add($0) } }
    }

    /// The texts that ids decode to, each with a byte behind it that no text holds: with special tokens, without, backwards.
    mutating func add(decoded ids: [Int32], by tokenizer: Tokenizer) {
        for text in [
            tokenizer.decode(ids), tokenizer.decode(ids, skipSpecialTokens: true), tokenizer.decode(ids.reversed()),
        ] {
            add(text.utf8)
            add([0xFF])
        }
    }

    var hexadecimal: String {
        let digits = String(~state, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
