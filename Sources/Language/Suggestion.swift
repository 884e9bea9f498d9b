/// Suggestions of the form "did you mean …?" for a mistyped word.
package enum Suggestion {
    /// The length, in Unicode scalars, up to which words are compared. Nobody types longer ones by mistake, and the
    /// work grows with the square.
    private static let lengthLimit = 64

    /// Returns the candidate that a mistyped word means: the only one that it begins, if it has at least three letters,
    /// else the one with the fewest insertions, deletions, replacements and swaps of neighbours (at most one for up to
    /// four letters, two for up to eight, else three; of equals the first), ignoring case.
    package static func closest(to word: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(word.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= lengthLimit else { return nil }
        let threshold = wanted.count <= 4 ? 1 : wanted.count <= 8 ? 2 : 3
        // A word that is the beginning of one name alone is probably unfinished.
        let begun = candidates.filter { wanted.count >= 3 && $0.lowercased().hasPrefix(word.lowercased()) }
        if begun.count == 1 { return begun[0] }
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let scalars = Array(candidate.lowercased().unicodeScalars)
            guard abs(scalars.count - wanted.count) <= threshold, scalars.count <= lengthLimit else { continue }
            let distance = distance(wanted, scalars)
            // If every letter differs, the words are not alike.
            guard distance <= threshold, distance < max(wanted.count, scalars.count) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
        }
        return best?.candidate
    }

    /// Returns the advice for a word that is none of the candidates: the closest of them, or else all.
    package static func remedy(for word: String, among candidates: [String], after: String = "") -> String {
        closest(to: word, among: candidates).map { "did you mean \($0)?" }
            ?? "there is \(candidates.joined(separator: ", "))\(after)"
    }

    /// Returns the number of edits between two words, by optimal string alignment (Damerau 1964, each substring edited
    /// once).
    package static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
