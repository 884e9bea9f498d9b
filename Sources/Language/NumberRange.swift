/// Reads ranges and lists of numbers as a user writes them: `300..500`, `1..16`, `0.5,1,2`.
package enum NumberRange {
    /// Returns what stands before and after the dots of a range such as `1..16`; nil for a text without dots.
    package static func ends(_ text: some StringProtocol) -> (first: String, last: String)? {
        guard let dots = text.firstRange(of: "..") else { return nil }
        return (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
    }

    /// Reads a range such as `300..500`: two positive numbers, the smaller first; nil for anything else.
    package static func positive(_ text: String) -> ClosedRange<Double>? {
        guard let ends = ends(text), let low = Double(ends.first), let high = Double(ends.last), low > 0, low <= high,
            high.isFinite
        else { return nil }
        return low...high
    }

    /// Reads a list of numbers such as `0.5,1,2`, or of whole numbers such as `1..16`: ascending, none twice; nil for
    /// anything else.
    ///
    /// - Parameter most: the largest number of numbers in one range `FIRST..LAST`; a list of ranges may have ten times
    ///   as many.
    package static func list(_ text: String, most: Int = 1000) -> [Double]? {
        var result: [Double] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if let ends = ends(part) {
                guard let first = Int(ends.first), let last = Int(ends.last),
                    (-1_000_000...1_000_000).contains(first), first <= last, last < first + most
                else { return nil }
                result += (first...last).map(Double.init)
            } else {
                guard let number = Double(part), number.isFinite, abs(number) < 1e6 else { return nil }
                result.append(number)
            }
            guard result.count <= 10 * most else { return nil }
        }
        return Array(Set(result)).sorted()
    }
}
