import JSON
import Language
import LinearAlgebra
import Models
import Statistics
import TerminalText
import Tokenizers
import Workbench

/// Texts in which a word stands in one of its senses, from a .jsonl file.
struct SenseFile {
    struct Line {
        let text: String
        let word: String
        let sense: String
        /// In the file, from 1.
        let number: Int
    }

    /// Which fields hold what.
    struct Fields {
        var text = "text"
        var word = "word"
        var sense = "sense"
    }

    let path: String
    let lines: [Line]

    /// - Throws: `CommandError` that names the line and the field that is missing.
    init(_ file: String, _ fields: Fields) throws {
        path = expandTilde(file)
        guard path.hasSuffix(".jsonl") else {
            throw CommandError(
                "\(file.escapedForTerminal) is no .jsonl file",
                remedy: "write one JSON object a line, with the fields text, word and sense", exitCode: 2)
        }
        var lines: [Line] = []
        let parts = try TextFile.read(path).split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in parts.enumerated() where line.contains(where: { !$0.isWhitespace }) {
            let place = "\(file), line \(index + 1)"
            let json = try JSONValue(parsing: Array(line.utf8), file: place)
            func value(_ field: String, _ option: String) throws -> String {
                if let text = json[field]?.string, !text.isEmpty { return text }
                let keys = json.object?.keys.joined(separator: ", ") ?? "no fields"
                throw CommandError(
                    "\(place.escapedForTerminal) has no text in the field \(field.escapedForTerminal)",
                    remedy: "choose one with \(option); the line has \(keys.escapedForTerminal)")
            }
            lines.append(
                Line(
                    text: try value(fields.text, "--field"), word: try value(fields.word, "--word-field"),
                    sense: try value(fields.sense, "--sense-field"), number: index + 1))
        }
        guard !lines.isEmpty else {
            throw CommandError("\(file.escapedForTerminal) has no lines", remedy: "write one JSON object a line")
        }
        self.lines = lines
    }

    /// Each word once, in the order of the file.
    var words: [String] {
        var seen: Set<String> = []
        return lines.map(\.word).filter { seen.insert($0).inserted }
    }

    /// The UTF-8 offset after the first place where a word stands by itself, as it is written, else in other letter case.
    static func end(of word: String, in text: String) -> Int? {
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
        // Where lower case is as long as the text, offsets mean the same in both.
        return lower.utf8.count == text.utf8.count ? find(needle, lower) : nil
    }
}

/// What one checkpoint sees of a word's occurrences: the tokens up to the word's last, each context once a sense.
struct SenseContexts {
    struct Context {
        /// Tokens up to and with the word's last: a decoder has seen no more when it comes to the word.
        let ids: [Int32]
        let sense: Int
    }

    let word: String
    /// In the order of the file.
    let senses: [String]
    let contexts: [Context]
    /// Lines whose tokens up to the word stand in an earlier line of the same sense.
    let repeated: Int
    /// Contexts that stand under more than one sense.
    let undecided: Int
    /// Whether the word is the same token everywhere; otherwise rows differ by it at the embedding already.
    let hasOneLastToken: Bool

    /// - Throws: `CommandError` that names the first line without the word.
    init(_ word: String, _ file: SenseFile, _ checkpoint: LoadedCheckpoint, _ control: RunControl) throws {
        self.word = word
        let tokenizer = try checkpoint.tokenizer()
        let limit = try checkpoint.configuration().maxPositions
        var senses: [String] = []
        var contexts: [Context] = []
        var seen: [[Int32]: Set<Int>] = [:]
        var repeated = 0
        for line in file.lines where line.word == word {
            try control.checkCancellation()
            let encoding = tokenizer.encodeWithOffsets(line.text)
            guard let end = SenseFile.end(of: word, in: line.text),
                let last = encoding.ranges.lastIndex(where: { $0.lowerBound < end && $0.upperBound >= end })
            else {
                throw CommandError(
                    "\(file.path.escapedForTerminal), line \(line.number): \"\(line.text.escapedForTerminal)\" does not"
                        + " hold the word \(word.escapedForTerminal)",
                    remedy: "write the word into the text as the field says it, or leave the line out")
            }
            guard last < limit else {
                throw CommandError(
                    "\(file.path.escapedForTerminal), line \(line.number): \(word.escapedForTerminal) is token"
                        + " \(last + 1), and the model takes \(limit)", remedy: "shorten the text before it")
            }
            if !senses.contains(line.sense) { senses.append(line.sense) }
            let sense = senses.firstIndex(of: line.sense)!
            let ids = Array(encoding.ids[...last])
            guard seen[ids, default: []].insert(sense).inserted else {
                repeated += 1
                continue
            }
            contexts.append(Context(ids: ids, sense: sense))
        }
        self.senses = senses
        self.contexts = contexts
        self.repeated = repeated
        undecided = seen.values.count { $0.count > 1 }
        hasOneLastToken = Set(contexts.compactMap(\.ids.last)).count <= 1
    }

    /// Places of at most so many contexts of each sense, drawn with a seed.
    func sample(_ most: Int, seed: UInt64, stream: Int) -> [[Int]] {
        senses.indices.map { sense in
            let members = contexts.indices.filter { contexts[$0].sense == sense }
            var random = SeededRandom(seed: seed, stream: 0x7365, stream, sense)
            return random.sample(min(most, members.count), of: members.count).map { members[$0] }
        }
    }
}
