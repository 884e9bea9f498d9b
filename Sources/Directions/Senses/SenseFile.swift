import LinearAlgebra
import Models
import Statistics
import TerminalText
import Tokenizers
package import Workbench

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
    /// What errors and notes call the file.
    package let name: String
    package let lines: [Line]
    /// What reading left out.
    package let losses: ReadingLosses

    /// - Parameters:
    ///   - path: the path of the file.
    ///   - name: the name of the file in errors; nil means its path.
    ///   - fields: the names of the fields that hold the text, the word and the sense. A line of which one is empty is
    ///     left out. A word and a sense may be numbers or truth values, which stand for their JSON text.
    /// - Throws: `SenseError` that names the line and the field that is missing or holds something else;
    ///   `WorkbenchError` for a file that is not text; `JSONError`.
    package init(_ path: String, name: String? = nil, _ fields: Fields) throws {
        self.path = path
        let file = name ?? path
        self.name = file
        guard path.hasSuffix(".jsonl") else {
            throw SenseError.notJSONLines(file: file)
        }
        var lines: [Line] = []
        var losses = ReadingLosses()
        let content = NumberedLines(try TextFile.read(path))
        losses.blank = content.blank
        for (number, line) in content.lines {
            let object = try JSONLine(line, number: number, file: file)
            let found = Line(
                text: try Self.value(of: object, fields.text, .text),
                word: try Self.value(of: object, fields.word, .word),
                sense: try Self.value(of: object, fields.sense, .sense), number: number)
            if [found.text, found.word, found.sense].contains("") {
                losses.emptyFields.append(number)
            } else {
                lines.append(found)
            }
        }
        guard !lines.isEmpty else {
            throw SenseError.noLines(file: file)
        }
        self.lines = lines
        self.losses = losses
    }

    /// Returns what a line has in a field; "" for an empty text and, other than for the text itself, for null.
    private static func value(of line: JSONLine, _ field: String, _ role: SenseError.Field) throws -> String {
        switch line[field] {
        case .text(let text): return text
        case .scalar(let text, _) where role != .text: return text
        case .null where role != .text: return ""
        case .missing: throw SenseError.noField(place: line.place, field: field, role, known: line.fields)
        case .null: throw SenseError.badField(place: line.place, field: field, role, kind: "null")
        case .scalar(_, let kind), .composite(let kind):
            throw SenseError.badField(place: line.place, field: field, role, kind: kind)
        }
    }

    /// The words whose senses the file holds, each once, in the order of the file.
    package var words: [String] {
        var seen: Set<String> = []
        return lines.map(\.word).filter { seen.insert($0).inserted }
    }
}
