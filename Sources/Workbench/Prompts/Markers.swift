import Checkpoints
package import Provenance
import TerminalText

/// Phrases for which replies are searched, such as those of refusals. Upper and lower case are distinct.
package struct Markers {
    /// The phrases for which replies are searched, no two of them the same and none empty.
    package let phrases: [String]
    /// Whether a phrase counts only at the beginning of a reply, after any blanks.
    package let isAtStart: Bool

    package init(_ phrases: [String], isAtStart: Bool) {
        var seen: Set<String> = []
        self.phrases = phrases.filter { seen.insert($0).inserted }
        self.isAtStart = isAtStart
    }

    /// Splits the text of a file into phrases for which replies are searched: one a line, without blanks at its ends.
    /// Empty lines and those that begin with # are left out, and a phrase that stands several times counts once.
    ///
    /// - Throws: `WorkbenchError.noPhrases` if the file holds no phrase.
    package static func phrases(
        _ text: String, file: String
    ) throws -> (phrases: [String], losses: ReadingLosses) {
        let content = NumberedLines(text, isBreak: \.isNewline)
        let read = content.lines.map { (number: $0.number, phrase: String($0.text.withoutOuterBlanks)) }
        let places = read.filter { $0.phrase.first != "#" }.map(\.number)
        var phrases: [String] = []
        var losses = ReadingLosses()
        // Before the first phrase and after the last one nothing of a list is lost.
        losses.blank = content.blank.filter { (places.first ?? .max) < $0 && $0 < (places.last ?? 0) }
        for (number, phrase) in read {
            if phrase.first == "#" {
                if !phrases.isEmpty { losses.comments.append(number) }
            } else if phrases.contains(phrase) {
                losses.repeated.append(number)
            } else {
                phrases.append(phrase)
            }
        }
        guard !phrases.isEmpty else {
            throw WorkbenchError.noPhrases(file: file)
        }
        return (phrases, losses)
    }

    /// Reads from a file the phrases for which replies are searched, with the entry for the file among a recipe's
    /// inputs and what reading left out.
    ///
    /// - Parameter name: the name of the file in errors and in the recipe; nil means its path.
    /// - Throws: `WorkbenchError` if the file can't be read or holds no phrase.
    package static func read(
        _ path: String, name: String? = nil
    ) throws -> (phrases: [String], input: Recipe.Input, losses: ReadingLosses) {
        let name = name ?? path
        let text = try TextFile.read(path)
        let found = try phrases(text, file: name)
        return (found.phrases, Recipe.Input(name: name, sha256: Digest.sha256(text)), found.losses)
    }

    /// Returns the indices of the phrases that a reply contains, or with which it begins if only that counts.
    package func found(in reply: String) -> [Int] {
        guard isAtStart else { return phrases.indices.filter { reply.contains(phrases[$0]) } }
        let body = reply.withoutLeadingBlanks
        return phrases.indices.filter { body.hasPrefix(phrases[$0].withoutLeadingBlanks) }
    }
}
