extension WordPattern {
    /// The patterns that tell upper from lower case: `X?U*B+` or else `X?U+B*`, with X `[^\r\n\p{L}\p{N}]`, U
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and B `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`; then numbers, punctuation and spaces.
    static func endOfCasedWord(in text: UTF8Text, from start: Int, digits: Int, contractions: Bool) -> Int {
        let first = text.bytes[start]
        let (value, width) = text.scalarClass(at: start)
        if value.contains(.number), value.isDisjoint(with: [.letter, .mark]) {
            return text.endOfRun(of: .number, from: start, atMost: digits)
        }
        let next = start + width
        let mayLead = value.isDisjoint(with: [.letter, .number]) && !isNewline(first)
        if let end = endOfCasedLetters(in: text, from: start, leaderEnd: mayLead ? next : nil, value) {
            guard contractions, end < text.end, text.bytes[end] == UInt8(ascii: "'") else { return end }
            return endOfFoldedContraction(in: text, after: end + 1) ?? end
        }
        if !value.contains(.space) { return endOfPunctuation(in: text, from: next, slashes: true) }
        if first == UInt8(ascii: " "), next < text.end,
            text.scalarClass(at: next).value.isDisjoint(with: [.space, .letter, .number])
        {
            return endOfPunctuation(in: text, from: next, slashes: true)
        }
        return endOfSpace(in: text, from: start, newlinesFirst: true)
    }

    /// Where the letters end, after a character that may lead them and ends at `leaderEnd`; nil where there are none.
    private static func endOfCasedLetters(
        in text: UTF8Text, from start: Int, leaderEnd: Int?, _ first: ScalarClass
    ) -> Int? {
        guard let leaderEnd else {
            let run = CasedRun(in: text, from: start)
            return run.endInLower ?? (run.end > start ? run.end : nil)
        }
        let run = CasedRun(in: text, from: leaderEnd)
        if let end = run.endInLower { return end }
        // A mark is a leader and a letter: without a leader it matches by itself before capitals alone do.
        if first.contains(.mark) { return leaderEnd }
        return run.end > leaderEnd ? run.end : nil
    }

    /// A run of U, with what B makes of it.
    private struct CasedRun {
        /// The end of `U+`, `start` where it matches nothing.
        private(set) var end: Int
        /// The end of `U*B+`, nil where it does not match.
        private(set) var endInLower: Int?

        init(in text: UTF8Text, from start: Int) {
            end = start
            while end < text.end {
                let (value, width) = text.scalarClass(at: end)
                let isUpper = value.contains(.upper)
                let isEither = !isUpper && Self.isLetterOrMark(value) && !value.contains(.lower)
                guard isUpper || isEither else { break }
                end += width
                // Where no lower case follows, U* gives back what is after the last that is in B too.
                if isEither { endInLower = end }
            }
            var position = end
            while position < text.end {
                let (value, width) = text.scalarClass(at: position)
                guard Self.isLetterOrMark(value), !value.contains(.upper) else { break }
                position += width
            }
            if position > end { endInLower = position }
        }

        private static func isLetterOrMark(_ value: ScalarClass) -> Bool {
            !value.isDisjoint(with: [.letter, .mark])
        }
    }
}
