/// A curve as small as a word: one character a value, higher where the value is larger. For a cell of a table.
package enum Sparkline {
    private static let blocks: [Character] = Array("▁▂▃▄▅▆▇█")
    private static let digits: [Character] = Array("0123456789")

    /// - Parameters:
    ///   - values: nil where nothing was measured, which leaves a blank.
    ///   - range: what the lowest and the highest character stand for; the smallest and the largest value when nil.
    ///   - isASCII: digits from 0 to 9 instead of blocks, for terminals without UTF-8.
    /// - Returns: as many characters as there are values, `?` for NaN and infinities. Equal values stand in the middle.
    package static func text(_ values: [Double?], range: ClosedRange<Double>? = nil, isASCII: Bool = false) -> String {
        let steps = isASCII ? digits : blocks
        let finite = values.compactMap(\.self).filter(\.isFinite)
        let low = range?.lowerBound ?? finite.min() ?? 0
        let high = range?.upperBound ?? finite.max() ?? 0
        return String(
            values.map { value -> Character in
                guard let value else { return " " }
                guard value.isFinite else { return "?" }
                guard low < high else { return steps[steps.count / 2] }
                return steps[min(steps.count - 1, Int(Ticks.share(value, low, high) * Double(steps.count)))]
            })
    }
}
