import Checkpoints
package import Provenance
import TerminalText

/// Phrases that replies are searched for, such as those of refusals; case counts.
package struct Markers {
    /// No two the same, none empty.
    package let phrases: [String]
    /// Whether a phrase counts only where the reply begins with it, after blanks.
    package let isAtStart: Bool

    package init(_ phrases: [String], isAtStart: Bool) {
        var seen: Set<String> = []
        self.phrases = phrases.filter { seen.insert($0).inserted }
        self.isAtStart = isAtStart
    }

    /// The phrases of a file: one a line, without blanks at its ends; empty lines and those that begin with # are
    /// passed over.
    ///
    /// - Throws: `WorkbenchError` if the file can't be read or holds none.
    package static func phrases(_ text: String, file: String) throws -> [String] {
        let phrases = text.split(whereSeparator: \.isNewline).map(\.withoutOuterBlanks)
            .filter { !$0.isEmpty && $0.first != "#" }.map(String.init)
        guard !phrases.isEmpty else {
            throw WorkbenchError.noPhrases(file: file)
        }
        return phrases
    }

    /// The phrases of a file, and what a recipe says of it.
    ///
    /// - Parameter name: what errors and the recipe call the file; nil: its path.
    package static func read(_ path: String, name: String? = nil) throws -> (phrases: [String], input: Recipe.Input) {
        let name = name ?? path
        let text = try TextFile.read(path)
        return (try phrases(text, file: name), Recipe.Input(name: name, sha256: Digest.sha256(text)))
    }

    /// The places of the phrases that a reply holds.
    package func found(in reply: String) -> [Int] {
        guard isAtStart else { return phrases.indices.filter { reply.contains(phrases[$0]) } }
        let body = reply.withoutLeadingBlanks
        return phrases.indices.filter { body.hasPrefix(phrases[$0].withoutLeadingBlanks) }
    }
}
