/// What becomes of the matches of a pattern that cuts a text (the library's `SplitDelimiterBehavior`).
///
/// Of "the-final--countdown", cut at "-":
enum SplitBehavior: String, Sendable {
    /// the, final, countdown
    case removed = "Removed"
    /// the, -, final, -, -, countdown
    case isolated = "Isolated"
    /// the-, final-, -, countdown
    case mergedWithPrevious = "MergedWithPrevious"
    /// the, -final, -, -countdown
    case mergedWithNext = "MergedWithNext"
    /// the, -, final, --, countdown
    case contiguous = "Contiguous"

    init(_ field: JSONField) throws(TokenizerError) {
        let name = try field.string()
        guard let known = SplitBehavior(rawValue: name) else {
            throw field.unsupported(
                "\(name.quoted); Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous are implemented")
        }
        self = known
    }

    /// Calls `body` with the pieces of a text, in order.
    ///
    /// - Parameter isInverted: take what lies between the matches for the matches.
    @inline(__always)
    func forEachPiece(
        of text: UTF8Text, from start: Int, at pattern: TextPattern, isInverted: Bool, _ body: (Range<Int>) -> Void
    ) {
        switch self {
        case .isolated:
            pattern.forEachPart(of: text, from: start) { part, _ in body(part) }
        case .removed:
            pattern.forEachPart(of: text, from: start) { part, isMatch in
                if isMatch == isInverted { body(part) }
            }
        case .mergedWithPrevious, .mergedWithNext, .contiguous:
            // The piece that the next part may still become part of, and whether its last part is a match.
            var open: (start: Int, end: Int, isMatch: Bool)?
            pattern.forEachPart(of: text, from: start) { part, isFound in
                let isMatch = isFound != isInverted
                if let piece = open {
                    let joins =
                        switch self {
                        case .mergedWithPrevious: isMatch && !piece.isMatch
                        case .mergedWithNext: piece.isMatch && !isMatch
                        default: isMatch == piece.isMatch
                        }
                    if joins {
                        open = (piece.start, part.upperBound, isMatch)
                        return
                    }
                    body(piece.start..<piece.end)
                }
                open = (part.lowerBound, part.upperBound, isMatch)
            }
            if let open { body(open.start..<open.end) }
        }
    }
}
