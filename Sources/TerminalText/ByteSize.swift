/// Amounts of memory as people write them.
package enum ByteSize {
    private static let units: [(name: String, bytes: Double)] = [
        ("B", 1), ("K", 0x1p10), ("M", 0x1p20), ("G", 0x1p30), ("T", 0x1p40), ("KIB", 0x1p10), ("MIB", 0x1p20),
        ("GIB", 0x1p30), ("TIB", 0x1p40), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("", 1),
    ]

    /// The smallest size that is accepted, 1 MiB.
    private static let smallest = 1 << 20

    /// Reads a size. `2GB` and `1.5 GB` are decimal; `2GiB` and, as in most programs, `2G` are powers of 1024; a bare
    /// number is bytes.
    ///
    /// - Returns: nil for a text that is not a size, and for a size below 1 MiB or of 2^53 bytes or more.
    package static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.uppercased()
        guard let scale = units.first(where: { $0.name == unit }), let number = Double(digits),
            case let bytes = number * scale.bytes, bytes >= Double(smallest), bytes < 0x1p53
        else { return nil }
        return Int(bytes)
    }

    /// Returns the size as a whole number of the largest unit that divides it, which `bytes` reads as the same number
    /// from 1 MiB on.
    package static func text(_ bytes: Int) -> String {
        let exact = units.filter { $0.bytes > 1 && $0.name.count > 1 && bytes % Int($0.bytes) == 0 }
        guard let unit = exact.max(by: { $0.bytes < $1.bytes }) else { return String(bytes) }
        let name = unit.name.hasSuffix("IB") ? unit.name.prefix(1) + "iB" : unit.name[...]
        return "\(bytes / Int(unit.bytes))\(name == "KB" ? "kB" : name)"
    }
}
