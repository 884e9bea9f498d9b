import TerminalText

/// The reason why a user's text does not name one row of a set of points.
package enum RowError: Error, Equatable, CustomStringConvertible {
    case noRow(Int, of: String, rows: Int)
    /// The text is not a row's number, and the points have no texts to search, because they come from a file.
    case noTexts(String, text: String, rows: Int)
    case noMatch(String, text: String, known: [String])
    /// The text matches several rows. If `isPart` is true, the prompt's text of each row contains the given text;
    /// otherwise it equals it. `matches` describes the first few of the rows.
    case several(Int, of: String, text: String, isPart: Bool, matches: [String])

    package var description: String {
        switch self {
        case .noRow(let number, let name, _): "\(name) has no row \(number)"
        case .noTexts(let name, let text, _):
            "\(name) has no texts, and \"\(text.escapedForTerminal(limit: 60))\" is no row's number"
        case .noMatch(let name, let text, _):
            "no prompt of \(name) contains \"\(text.escapedForTerminal(limit: 60))\""
        case .several(let count, let name, let text, let isPart, _):
            "\(count) rows of \(name) \(isPart ? "contain" : "have") \"\(text.escapedForTerminal(limit: 60))\""
        }
    }
}

extension PointSource {
    /// Returns the index of the point that a user names.
    ///
    /// - Parameters:
    ///   - text: The row's number, counted from the end if it is negative, or the text (or a part) of the row's prompt.
    ///   - name: The name of the points, for errors.
    /// - Throws: `RowError` if there is no such row, or if several rows match.
    package func row(named text: String, of name: String) throws -> Int {
        if let number = Int(text) {
            let index = number < 0 ? number + count : number
            guard (0..<count).contains(index) else { throw RowError.noRow(number, of: name, rows: count) }
            return index
        }
        guard hasTexts else { throw RowError.noTexts(name, text: text, rows: count) }
        let texts = (0..<count).map { row($0)?.text ?? "" }
        let same = texts.indices.filter { texts[$0] == text }
        let found = same.isEmpty ? texts.indices.filter { texts[$0].contains(text) } : same
        guard let first = found.first else { throw RowError.noMatch(name, text: text, known: texts) }
        guard found.count == 1 else {
            let matches = found.prefix(6).map { place in
                let at = row(place)?.position.map { ", token \($0)" } ?? ""
                return "\(place) (\"\(texts[place].escapedForTerminal(limit: 40))\"\(at))"
            }
            throw RowError.several(found.count, of: name, text: text, isPart: same.isEmpty, matches: matches)
        }
        return first
    }
}
