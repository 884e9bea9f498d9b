#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Formats numbers for people; files and machine formats use full precision instead.
package enum NumberFormat {
    /// The number of significant digits of a number in a table.
    package static let defaultDigits = 4
    /// The number of digits from which on a number is written with the fewest digits that read back to the same bits.
    package static let fullPrecision = 17

    /// Returns the number with `digits` significant digits and without trailing zeros: `0.1235`, `12350`, `1.235e-05`.
    ///
    /// The notation is fixed from 1e-4 up to 1e7, where digits before the point are never rounded away (`123457`), else
    /// scientific. Numbers are correctly rounded from the binary value. Those that are not finite are spelled NaN, Inf
    /// and -Inf.
    package static func significant(_ number: Double, digits: Int = defaultDigits) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "Inf" }
        if number == 0 { return "0" }
        if digits >= fullPrecision { return number.description }
        let digits = max(digits, 1)
        let scientific = print(number, "%.*e", digits - 1)
        guard let e = scientific.lastIndex(of: "e"), let exponent = Int(scientific[scientific.index(after: e)...])
        else { return scientific }
        if exponent < -4 || number.magnitude >= 9_999_999.5 {
            return withoutTrailingZeros(String(scientific[..<e])) + scientific[e...]
        }
        return withoutTrailingZeros(print(number, "%.*f", max(0, digits - 1 - exponent)))
    }

    /// Returns a value with its interval, such as `1.23 [1.1, 1.4]`.
    package static func interval(value: Double, low: Double, high: Double, digits: Int = defaultDigits) -> String {
        let parts = [value, low, high].map { significant($0, digits: digits) }
        return "\(parts[0]) [\(parts[1]), \(parts[2])]"
    }

    /// Returns a number of bytes in decimal units: `512 B`, `269.1 MB`.
    package static func bytes(_ count: Int) -> String {
        scaled(count, units: ["B", "kB", "MB", "GB", "TB", "PB", "EB"])
    }

    /// Returns a count in decimal units: `512`, `134.5 M`.
    package static func count(_ count: Int) -> String {
        scaled(count, units: ["", "k", "M", "G", "T", "P", "E"])
    }

    private static func scaled(_ count: Int, units: [String]) -> String {
        var scaled = Double(count)
        var unit = 0
        // Otherwise 999.95 would be printed as 1000.0 of the smaller unit.
        while scaled.magnitude >= (unit == 0 ? 1000 : 999.95), unit + 1 < units.count {
            scaled /= 1000
            unit += 1
        }
        let number = unit == 0 ? String(count) : withoutTrailingZeros(print(scaled, "%.*f", 1))
        return units[unit].isEmpty ? number : "\(number) \(units[unit])"
    }

    private static func withoutTrailingZeros(_ number: String) -> String {
        guard number.utf8.contains(UInt8(ascii: ".")) else { return number }
        var number = Substring(number)
        while number.last == "0" { number.removeLast() }
        if number.last == "." { number.removeLast() }
        return String(number)
    }

    /// Formats a number with `vsnprintf`; `format` takes a precision and the number.
    private static func print(_ number: Double, _ format: String, _ precision: Int) -> String {
        withVaList([CInt(precision), number]) { arguments in
            // The longest text is %.17f of a number below 1e7.
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
                let length = vsnprintf(buffer.baseAddress, buffer.count, format, arguments)
                let written = buffer.prefix(max(0, min(Int(length), buffer.count - 1)))
                return String(decoding: written.map(UInt8.init(bitPattern:)), as: UTF8.self)
            }
        }
    }
}
