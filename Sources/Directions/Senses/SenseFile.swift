import JSON
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
    package let lines: [Line]
    /// What reading left out.
    package let losses: ReadingLosses

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
        var losses = ReadingLosses()
        let content = NumberedLines(try TextFile.read(path))
        losses.blank = content.blank
        for (number, line) in content.lines {
            let place = "\(file), line \(number)"
            let json = try JSONValue(parsing: Array(line.utf8), file: place)
            func value(_ field: String, _ role: SenseError.Field) throws -> String {
                if let text = json[field]?.string, !text.isEmpty { return text }
                throw SenseError.noField(place: place, field: field, role, known: json.object.map { Array($0.keys) })
            }
            lines.append(
                Line(
                    text: try value(fields.text, .text), word: try value(fields.word, .word),
                    sense: try value(fields.sense, .sense), number: number))
        }
        guard !lines.isEmpty else {
            throw SenseError.noLines(file: file)
        }
        self.lines = lines
        self.losses = losses
    }

    /// The words whose senses the file holds, each once, in the order of the file.
    package var words: [String] {
        var seen: Set<String> = []
        return lines.map(\.word).filter { seen.insert($0).inserted }
    }
}
