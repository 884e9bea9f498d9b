/// How many times as long a text can become by the steps of a normalizer or decoder, a bound counted in bytes.
///
/// Steps multiply: twelve of which each writes a hundred letters for one make 10²⁴ of it. Files past the limits are
/// refused when they are read, so that none can fill the memory later.
struct TextGrowth: Sendable {
    static let stepLimit = 64
    static let factorLimit = 4096.0
    /// How many bytes a step may put into a text at one place.
    static let contentLimit = 256

    private var stepCount = 0
    private var factor = 1.0

    /// Counts the step `field`.
    ///
    /// - Parameter factor: how many times as long the step can make a text, at least 1.
    mutating func add(_ field: JSONField, by factor: Double = 1) throws(TokenizerError) {
        stepCount += 1
        guard stepCount <= Self.stepLimit else { throw field.unsupported("more than \(Self.stepLimit) steps") }
        self.factor *= factor
        guard self.factor <= Self.factorLimit else {
            throw field.unsupported(
                "with the steps before it, it could make a text more than \(Int(Self.factorLimit)) times as long")
        }
    }

    /// Reads and counts the step `field`, a `Replace`: what it looks for, and what it puts there.
    mutating func addReplacement(
        _ field: JSONField
    ) throws(TokenizerError) -> (pattern: TextPattern, content: [UInt8]) {
        try field.checkKeys("type", "pattern", "content")
        let content = try Self.content(try field.required("content"))
        let pattern = try TextPattern(try field.required("pattern"))
        try add(field, by: max(1, Double(content.count) / Double(pattern.leastByteCount)))
        return (pattern, content)
    }

    /// The text in `field` that a step puts into others.
    static func content(_ field: JSONField) throws(TokenizerError) -> [UInt8] {
        let content = Array(try field.string().utf8)
        guard content.count <= contentLimit else {
            throw field.unsupported("a text of \(content.count) bytes; at most \(contentLimit) are")
        }
        return content
    }
}
