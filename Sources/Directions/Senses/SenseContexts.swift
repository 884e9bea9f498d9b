package import Control
import LinearAlgebra
import Models
import Statistics
import Tokenizers
package import Workbench

/// What one checkpoint sees of a word's occurrences: the tokens up to the word's last, each context once a sense.
package struct SenseContexts {
    package struct Context {
        /// Tokens up to and with the word's last: a decoder has seen no more when it comes to the word.
        package let ids: [Int32]
        package let sense: Int
    }

    package let word: String
    /// In the order of the file.
    package let senses: [String]
    package let contexts: [Context]
    /// Lines whose tokens up to the word stand in an earlier line of the same sense.
    package let repeated: Int
    /// Contexts that stand under more than one sense.
    package let undecided: Int
    /// Whether the word is the same token everywhere; otherwise rows differ by it at the embedding already.
    package let hasOneLastToken: Bool

    /// - Throws: `SenseError` that names the first line without the word.
    package init(_ word: String, _ file: SenseFile, _ checkpoint: LoadedCheckpoint, _ control: RunControl) throws {
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
                throw SenseError.wordNotInText(file: file.path, line: line.number, text: line.text, word: word)
            }
            guard last < limit else {
                throw SenseError.tooLate(
                    file: file.path, line: line.number, word: word, token: last + 1, limit: limit)
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
    package func sample(_ most: Int, seed: UInt64, stream: Int) -> [[Int]] {
        senses.indices.map { sense in
            let members = contexts.indices.filter { contexts[$0].sense == sense }
            var random = SeededRandom(seed: seed, stream: 0x7365, stream, sense)
            return random.sample(min(most, members.count), of: members.count).map { members[$0] }
        }
    }
}
