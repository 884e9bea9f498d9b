/// The one way to find a word in a text: a whole word as it is written, and if there is none, in other letter case.
///
/// In a pattern, a star at an end lets the word go on there: `apple*` finds apples, `*apple` pineapple, `*apple*` both.
package struct WordFinder: Sendable {
    private let word: String
    /// Whether a letter, a digit or _ may stand before the word, and after it.
    private let isOpen: (before: Bool, after: Bool)

    /// Looks for a whole word, in which a star is a star.
    package init(word: String) {
        self.word = word
        isOpen = (false, false)
    }

    /// Looks for a pattern: a word, with a star before or after it where the word may go on. A text of stars alone
    /// stands for itself.
    package init(pattern: String) {
        let rest = pattern.drop { $0 == "*" }
        word = rest.isEmpty ? pattern : String(rest.reversed().drop { $0 == "*" }.reversed())
        isOpen = rest.isEmpty ? (false, false) : (pattern.first == "*", pattern.last == "*")
    }

    /// Returns the UTF-8 offset after the first place of the word in a text; nil if there is none.
    package func end(in text: String) -> Int? {
        if let found = find(word, text) { return found }
        let (lower, needle) = (text.lowercased(), word.lowercased())
        // If the lower-case text is as long as the text, offsets mean the same in both.
        return lower.utf8.count == text.utf8.count ? find(needle, lower) : nil
    }

    private func find(_ word: String, _ text: String) -> Int? {
        guard let first = word.first, let last = word.last else { return nil }
        for range in text.ranges(of: word) {
            if !isOpen.before, range.lowerBound > text.startIndex,
                Self.areOneWord(text[text.index(before: range.lowerBound)], first)
            {
                continue
            }
            if !isOpen.after, range.upperBound < text.endIndex, Self.areOneWord(last, text[range.upperBound]) {
                continue
            }
            return text.utf8.distance(from: text.startIndex, to: range.upperBound)
        }
        return nil
    }

    /// Returns whether two neighbouring characters belong to one word: both are letters, digits or _, as in names of
    /// programs, and of a script that puts blanks between words.
    private static func areOneWord(_ one: Character, _ other: Character) -> Bool {
        [one, other].allSatisfy { ($0.isLetter || $0.isNumber || $0 == "_") && !isOfScriptWithoutBlanks($0) }
    }

    /// Returns whether a character is Chinese, Japanese, Thai, Lao, Burmese or Khmer, which put no blanks between words.
    private static func isOfScriptWithoutBlanks(_ character: Character) -> Bool {
        switch character.unicodeScalars.first?.value ?? 0 {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x9FFF, 0xF900...0xFAFF,
            0x20000...0x3FFFF:
            true
        default: false
        }
    }
}
