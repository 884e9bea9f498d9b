internal import TerminalText

/// A completion worked out for one line: text to insert and text to list, quoted and free of control sequences.
struct CompletionPlan: Equatable {
    struct Entry: Equatable {
        var inserted: String
        var shown: String
    }

    var replaceStart: Int
    /// What replaces the word if there are several entries.
    var common: String
    /// What follows a lone entry.
    var append: UInt8?
    var entries: [Entry]

    /// Nil if there is nothing to complete. `line` ends at the cursor.
    ///
    /// A candidate with a character that must not reach the terminal is listed escaped; of its text only what comes
    /// before that character is inserted.
    init?(_ completion: Completion, line: String) {
        let bytes = line.utf8
        guard !completion.candidates.isEmpty, (0...bytes.count).contains(completion.replaceStart) else { return nil }
        let start = bytes.index(bytes.startIndex, offsetBy: completion.replaceStart)
        let typed = String(decoding: bytes[start...], as: UTF8.self)
        let quoting = WordQuoting(opening: typed.utf8.first)

        let safe = completion.candidates.map { candidate in
            String(String.UnicodeScalarView(candidate.text.unicodeScalars.prefix { !$0.isUnsafeForTerminal }))
        }
        replaceStart = completion.replaceStart
        entries = zip(completion.candidates, safe).map { candidate, safe in
            let isWhole = safe == candidate.text && !candidate.isPartial
            return Entry(
                inserted: quoting.quoted(safe, closed: isWhole),
                shown: (candidate.label ?? candidate.text).escapedForTerminal)
        }
        if safe.count == 1 {
            common = entries[0].inserted
            let isWhole = safe[0] == completion.candidates[0].text && !completion.candidates[0].isPartial
            append = isWhole ? completion.suffix?.asciiValue : nil
        } else {
            let shared = safe.dropFirst().reduce(safe[0][...].unicodeScalars) { shared, text in
                let count = zip(shared, text.unicodeScalars).prefix { $0 == $1 }.count
                return shared.prefix(count)
            }
            common = quoting.quoted(String(shared), closed: false)
            // Never take away what was typed, whatever the completer answered.
            if common.utf8.count < typed.utf8.count || safe.contains("") { common = typed }
        }
    }
}
