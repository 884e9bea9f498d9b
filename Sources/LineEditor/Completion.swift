/// What TAB may put in the place of the word before the cursor.
package struct Completion: Sendable, Equatable {
    package struct Candidate: Sendable, Equatable {
        /// The word without quotes; the editor quotes it as the line needs.
        package var text: String
        /// What the listing shows; nil: `text`.
        package var label: String?
        /// More is to follow, as after a folder's `/`: no suffix and no closing quote.
        package var isPartial: Bool

        package init(_ text: String, label: String? = nil, isPartial: Bool = false) {
            self.text = text
            self.label = label
            self.isPartial = isPartial
        }
    }

    /// Byte offset in the line where the word begins, its opening quote included.
    package var replaceStart: Int
    /// Listed in this order.
    package var candidates: [Candidate]
    /// One ASCII character put after a lone candidate.
    package var suffix: Character?

    package init(replaceStart: Int, candidates: [Candidate], suffix: Character? = " ") {
        self.replaceStart = replaceStart
        self.candidates = candidates
        self.suffix = suffix
    }
}

extension Completion.Candidate: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}
