import JSON
import LinearAlgebra
import Models
import Statistics
import TerminalText
import Tokenizers
import Workbench

/// Texts in which a word stands in one of its senses, from a .jsonl file.
package struct SenseFile {
    package struct Line {
        package let text: String
        package let word: String
        package let sense: String
        /// The line's number in the file, from 1.
        package let number: Int
    }

    /// The names of the fields, in each line of the file, that hold the text, the word and the sense.
    package struct Fields {
        package var text = "text"
        package var word = "word"
        package var sense = "sense"

        package init(text: String = "text", word: String = "word", sense: String = "sense") {
            self.text = text
            self.word = word
            self.sense = sense
        }
    }

    package let path: String
    package let lines: [Line]

    /// - Parameters:
    ///   - path: the path of the file.
    ///   - name: the name of the file in errors; nil means its path.
    ///   - fields: the names of the fields that hold the text, the word and the sense.
    /// - Throws: `SenseError` that names the line and the field that is missing; `WorkbenchError` for a file that is
    ///   not text; `JSONError`.
    package init(_ path: String, name: String? = nil, _ fields: Fields) throws {
        self.path = path
        let file = name ?? path
        guard path.hasSuffix(".jsonl") else {
            throw SenseError.notJSONLines(file: file)
        }
        var lines: [Line] = []
        let parts = try TextFile.read(path).split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in parts.enumerated() where line.contains(where: { !$0.isWhitespace }) {
            let place = "\(file), line \(index + 1)"
            let json = try JSONValue(parsing: Array(line.utf8), file: place)
            func value(_ field: String, _ role: SenseError.Field) throws -> String {
                if let text = json[field]?.string, !text.isEmpty { return text }
                throw SenseError.noField(place: place, field: field, role, known: json.object.map { Array($0.keys) })
            }
            lines.append(
                Line(
                    text: try value(fields.text, .text), word: try value(fields.word, .word),
                    sense: try value(fields.sense, .sense), number: index + 1))
        }
        guard !lines.isEmpty else {
            throw SenseError.noLines(file: file)
        }
        self.lines = lines
    }

    /// The words whose senses the file holds, each once, in the order of the file.
    package var words: [String] {
        var seen: Set<String> = []
        return lines.map(\.word).filter { seen.insert($0).inserted }
    }

    /// Returns the UTF-8 offset after the first place where a word stands by itself, as it is written, else in other
    /// letter case; nil if there is none.
    package static func end(of word: String, in text: String) -> Int? {
        func find(_ word: String, _ text: String) -> Int? {
            for range in text.ranges(of: word) {
                let before = range.lowerBound > text.startIndex ? text[text.index(before: range.lowerBound)] : " "
                let after = range.upperBound < text.endIndex ? text[range.upperBound] : " "
                guard !before.isLetter, !before.isNumber, !after.isLetter, !after.isNumber else { continue }
                return text.utf8.distance(from: text.startIndex, to: range.upperBound)
            }
            return nil
        }
        if let found = find(word, text) { return found }
        let (lower, needle) = (text.lowercased(), word.lowercased())
        // If the lower-case text is as long as the text, offsets mean the same in both.
        return lower.utf8.count == text.utf8.count ? find(needle, lower) : nil
    }
}
