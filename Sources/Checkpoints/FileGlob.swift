#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Patterns of file names as in a shell, such as `Checkpoints/pearl-step-*.h5`.
package enum FileGlob {
    package static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

    /// Returns the paths that match a pattern, in natural order. The list is empty if there are none.
    package static func paths(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, GLOB_TILDE, nil, &found) == 0 else { return [] }
        let paths = (0..<Int(found.gl_pathc)).compactMap {
            found.gl_pathv[$0].flatMap { String(validatingCString: $0) }
        }
        return paths.sorted(by: isNaturallyBefore)
    }

    /// Returns whether one name comes before another in natural order, in which numbers within names are compared as
    /// numbers: `step-16` comes before `step-256`.
    package static func isNaturallyBefore(_ a: String, _ b: String) -> Bool {
        let (one, other) = (parts(a), parts(b))
        for (x, y) in zip(one, other) where x != y {
            // Of two numbers without leading zeros the longer is the larger.
            if let x = digits(x), let y = digits(y), x != y { return x.count != y.count ? x.count < y.count : x < y }
            return x < y
        }
        return one.count != other.count ? one.count < other.count : a < b
    }

    private static func digits(_ part: String) -> String? {
        guard part.utf8.first.map(isDigit) == true else { return nil }
        return String(part.drop { $0 == "0" })
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Splits a text into runs of digits and the parts between them.
    private static func parts(_ text: String) -> [String] {
        var parts: [[UInt8]] = []
        for byte in text.utf8 {
            if let last = parts.last?.last, isDigit(last) == isDigit(byte) {
                parts[parts.count - 1].append(byte)
            } else {
                parts.append([byte])
            }
        }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }
}
