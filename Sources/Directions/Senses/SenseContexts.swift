package import Control
import LinearAlgebra
import Models
import Statistics
import Tokenizers
package import Workbench

/// The occurrences of a word in texts as one checkpoint sees them: the tokens up to the word's last, with each context
/// once for each sense.
package struct SenseContexts {
    /// One occurrence of the word in one of its senses.
    package struct Context {
        /// The token ids up to and including the word's last: a decoder has seen no more when it comes to the word.
        package let ids: [Int32]
        /// The index, in `senses`, of the sense in which the word stands here.
        package let sense: Int
    }

    package let word: String
    /// The names of the word's senses, in the order of the file.
    package let senses: [String]
    package let contexts: [Context]
    /// The number of the file's lines whose tokens up to the word stand in an earlier line of the same sense.
    package let repeated: Int
    /// The number of the word's contexts that stand under more than one sense.
    package let undecided: Int
    /// Whether the word's last token is the same in all contexts; otherwise activations already differ by it at the
    /// embedding.
    package let hasOneLastToken: Bool

    /// - Throws: `SenseError` that names the first line in which the word is missing or stands too late for the model.
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
            guard let end = WordFinder(word: word).end(in: line.text),
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

    /// Returns, for each sense, the indices of at most `most` of the word's contexts, drawn with a seed.
    package func sample(_ most: Int, seed: UInt64, stream: Int) -> [[Int]] {
        senses.indices.map { sense in
            let members = contexts.indices.filter { contexts[$0].sense == sense }
            var random = SeededRandom(seed: seed, .senses, stream, sense)
            return random.sample(min(most, members.count), of: members.count).map { members[$0] }
        }
    }
}
