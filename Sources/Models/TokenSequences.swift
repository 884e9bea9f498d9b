/// Token ids of a set of prompts, one after another without padding.
package struct TokenSequences: Sendable, Equatable {
    /// [total tokens]
    package let tokens: [Int32]
    /// [prompts + 1]: prompt p has the rows `starts[p]..<starts[p + 1]`.
    package let starts: [Int]

    package init(_ sequences: [[Int32]]) {
        var starts = [0]
        starts.reserveCapacity(sequences.count + 1)
        var tokens: [Int32] = []
        tokens.reserveCapacity(sequences.reduce(0) { $0 + $1.count })
        for sequence in sequences {
            tokens += sequence
            starts.append(tokens.count)
        }
        self.tokens = tokens
        self.starts = starts
    }

    package var count: Int { starts.count - 1 }

    package func rows(of prompt: Int) -> Range<Int> { starts[prompt]..<starts[prompt + 1] }

    package func tokens(of prompt: Int) -> ArraySlice<Int32> { tokens[rows(of: prompt)] }

    /// Checks what every run needs: no empty prompt, ids within the vocabulary, lengths within the model's limit.
    package func validate(vocabulary: Int, maxPositions: Int) throws {
        for prompt in 0..<count {
            let length = rows(of: prompt).count
            if length == 0 { throw ModelError.noTokens(prompt: prompt) }
            if length > maxPositions { throw ModelError.tooLong(prompt: prompt, tokens: length, limit: maxPositions) }
        }
        for token in tokens where token < 0 || Int(token) >= vocabulary {
            throw ModelError.tokenOutOfRange(id: Int(token), vocabulary: vocabulary)
        }
    }
}
