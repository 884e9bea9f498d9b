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
    /// Empty lines and those that begin with # are ignored.
    ///
    /// - Throws: `WorkbenchError.noPhrases` if the file holds no phrase.
    package static func phrases(_ text: String, file: String) throws -> [String] {
        let phrases = text.split(whereSeparator: \.isNewline).map(\.withoutOuterBlanks)
            .filter { !$0.isEmpty && $0.first != "#" }.map(String.init)
        guard !phrases.isEmpty else {
            throw WorkbenchError.noPhrases(file: file)
        }
        return phrases
    }

    /// Reads from a file the phrases for which replies are searched, with the entry for the file among a recipe's
    /// inputs.
    ///
    /// - Parameter name: the name of the file in errors and in the recipe; nil means its path.
    /// - Throws: `WorkbenchError` if the file can't be read or holds no phrase.
    package static func read(_ path: String, name: String? = nil) throws -> (phrases: [String], input: Recipe.Input) {
        let name = name ?? path
        let text = try TextFile.read(path)
        return (try phrases(text, file: name), Recipe.Input(name: name, sha256: Digest.sha256(text)))
    }

    /// Returns the indices of the phrases that a reply contains, or with which it begins if only that counts.
    package func found(in reply: String) -> [Int] {
        guard isAtStart else { return phrases.indices.filter { reply.contains(phrases[$0]) } }
        let body = reply.withoutLeadingBlanks
        return phrases.indices.filter { body.hasPrefix(phrases[$0].withoutLeadingBlanks) }
    }
}
